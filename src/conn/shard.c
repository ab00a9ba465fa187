/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a turn: parcels to other shards, output to sockets, and the burial of closed
 * connections. Parcels are counted in bytes; a shard that is far behind makes the senders stop
 * reading publishers. */
#include "conn/shard.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "conn/conn.h"

#define INBOX_HIGH_BYTES (8u << 20)
#define INBOX_LOW_BYTES (2u << 20)
#define TRIM_NS (2 * CLOCK_SEC_NS)
#define SPARE_CHUNKS 8u          // of a size, that a quiet shard keeps
#define RELEASED_PER_CONN 16384u // a guess at what a connection leaves behind, all told

/** Output on its way to the connections of another shard. */
struct parcel {
    struct inbox_item item;
    struct shard *to;
    size_t n_bytes;
    uint32_t n;
    struct stage stages[];
};

/** "We have caught up", from one shard to one that waits for it. */
struct relief {
    struct inbox_item item;
    struct shard *to;
    unsigned from;
};

static void on_parcel(struct worker *w, struct inbox_item *item);

static void on_relief(struct worker *w, struct inbox_item *item)
{
    struct relief *r = CONTAINER_OF(item, struct relief, item);
    struct shard *sh = r->to;

    (void)w;
    if (sh->is_congested[r->from]) {
        sh->is_congested[r->from] = false;
        sh->n_congested--;
    }
    mem_free(r);
    if (sh->n_congested == 0) {
        struct conn *c = sh->held;

        sh->held = NULL;
        while (c) {
            struct conn *next = c->next_held;

            conn_release(c);
            c = next;
        }
    }
}

/* Tells the shards that wait for us that we have caught up. */
static void relieve_waiting(struct shard *sh)
{
    for (unsigned i = 1; i < sh->n_all; i++) {
        if (atomic_load(&sh->is_waiting[i]) && // not before our count, see watch_congestion
            atomic_exchange(&sh->is_waiting[i], false)) {
            struct relief *r = mem_alloc(sizeof(*r));

            *r = (struct relief){.item.run = on_relief, .to = sh->all[i], .from = sh->index};
            worker_post(sh->all[i]->worker, &r->item);
        }
    }
}

static void watch_congestion(struct shard *sh, struct shard *to)
{
    if (atomic_load(&to->n_inbox_bytes) <= INBOX_HIGH_BYTES || sh->is_congested[to->index]) {
        return;
    }
    sh->is_congested[to->index] = true;
    sh->n_congested++;
    atomic_store(&to->is_waiting[sh->index], true);
    if (atomic_load(&to->n_inbox_bytes) <= INBOX_LOW_BYTES) { // it may not have seen our flag
        relieve_waiting(to);
    }
}

static void post_stages(struct shard *sh)
{
    for (unsigned i = 1; i < sh->n_all; i++) {
        struct stage_list *l = &sh->stages[i];
        struct shard *to = sh->all[i];

        if (l->n == 0) {
            continue;
        }
        struct parcel *p = mem_alloc(sizeof(*p) + l->n * sizeof(struct stage));
        p->item.run = on_parcel;
        p->to = to;
        p->n = l->n;
        p->n_bytes = 0;
        memcpy(p->stages, l->at, l->n * sizeof(struct stage));
        for (uint32_t k = 0; k < l->n; k++) {
            p->n_bytes += l->at[k].out.n_bytes;
        }
        l->n = 0;
        atomic_fetch_add(&to->n_inbox_bytes, p->n_bytes);
        worker_post(to->worker, &p->item);
        watch_congestion(sh, to);
    }
}

static void on_parcel(struct worker *w, struct inbox_item *item)
{
    struct parcel *p = CONTAINER_OF(item, struct parcel, item);
    struct shard *sh = p->to;

    (void)w;
    shard_note_busy(sh);
    for (uint32_t k = 0; k < p->n; k++) {
        struct stage *s = &p->stages[k];
        struct conn *c = handle_find(&sh->table, s->handle);

        if (c && conn_takes(c, s->out.n_bytes)) {
            if (UNLIKELY(log_enabled(LOG_TRC))) {
                c->ops->trace_output(c, &s->out);
            }
            outq_append(&c->out, &s->out, &sh->pool);
            conn_output_grew(c);
        } else {
            outq_clear(&s->out, &sh->pool);
        }
    }
    size_t left = atomic_fetch_sub(&sh->n_inbox_bytes, p->n_bytes) - p->n_bytes;
    if (left <= INBOX_LOW_BYTES) {
        relieve_waiting(sh);
    }
    mem_free(p);
}

struct outq *shard_stage(struct shard *sh, uint64_t handle)
{
    struct stage_list *l = &sh->stages[handle_worker(handle)];
    uint32_t slot = handle_slot_number(handle);

    if (slot >= l->n_by_slot) {
        uint32_t n = l->n_by_slot ? l->n_by_slot : 256;

        while (n <= slot) {
            n *= 2;
        }
        l->by_slot = mem_realloc(l->by_slot, n * sizeof(uint32_t));
        memset(l->by_slot + l->n_by_slot, 0, (n - l->n_by_slot) * sizeof(uint32_t));
        l->n_by_slot = n;
    }
    uint32_t place = l->by_slot[slot];
    if (place && place <= l->n && l->at[place - 1].handle == handle) {
        return &l->at[place - 1].out;
    }
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        l->at = mem_realloc(l->at, l->cap * sizeof(struct stage));
    }
    l->at[l->n] = (struct stage){.handle = handle};
    l->by_slot[slot] = ++l->n;
    sh->n_outputs++;
    return &l->at[l->n - 1].out;
}

static void bury_closed(struct shard *sh)
{
    while (sh->closing) {
        struct conn *c = sh->closing;

        sh->closing = c->next_closing;
        c->is_listed_closing = false;
        conn_finish(c);
    }
}

static void send_dirty(struct shard *sh)
{
    struct conn *c = sh->dirty;

    sh->dirty = NULL;
    while (c) {
        struct conn *next = c->next_dirty;

        c->is_dirty = false;
        if (!c->is_blocked) {
            conn_flush(c);
        }
        c = next;
    }
}

void shard_hand_over(struct shard *sh)
{
    if (sh->before_flush) {
        sh->before_flush(sh->flush_arg);
    }
    post_stages(sh);
}

void shard_flush(struct shard *sh)
{
    sh->turn_bytes = 0;
    sh->n_outputs = 0;
    shard_hand_over(sh);
    send_dirty(sh);
}

static bool has_spare_chunks(const struct shard *sh)
{
    return sh->pool.n[CHUNK_SMALL] > SPARE_CHUNKS || sh->pool.n[CHUNK_LARGE] > SPARE_CHUNKS;
}

static void on_trim(struct timer *t)
{
    struct shard *sh = CONTAINER_OF(t, struct shard, trim);

    chunk_pool_trim(&sh->pool);
}

/* After what left chunks behind, has them given back in steps. */
static void watch_memory(struct shard *sh)
{
    if (has_spare_chunks(sh) && !timer_is_set(&sh->trim)) {
        worker_set_timer(sh->worker, &sh->trim, sh->worker->now_ns + TRIM_NS);
    }
}

static void note_turn(struct shard *sh)
{
    if (sh->busy_since_ns) {
        int64_t ns = clock_now_ns() - sh->busy_since_ns;

        histogram_add(&sh->turn_us, (uint64_t)ns / 1000);
        sh->busy_since_ns = 0;
        sh->n_untimed = SHARD_TIMED_TURNS;
    }
    if (sh->n_untimed) {
        sh->n_untimed--;
    }
}

static bool on_turn_end(struct worker *w, void *arg)
{
    struct shard *sh = arg;

    (void)w;
    shard_flush(sh);
    while (sh->closing || sh->dirty) {
        bury_closed(sh);
        shard_flush(sh);
    }
    if (sh->is_draining && sh->n_conns == 0 && sh->on_drained) {
        void (*fn)(struct shard *, void *) = sh->on_drained;

        sh->on_drained = NULL;
        fn(sh, sh->drained_arg);
    }
    watch_memory(sh);
    note_turn(sh);
    return false;
}

static struct shard *shard_new(struct worker *w, struct shard **all, unsigned n_all,
                               struct chunk_depot *depot)
{
    struct shard *sh = mem_zalloc_aligned(sizeof(*sh));

    sh->worker = w;
    sh->index = w->index;
    sh->all = all;
    sh->n_all = n_all;
    sh->read_buf = mem_alloc(SHARD_READ_BYTES);
    sh->stages = mem_zalloc(n_all * sizeof(struct stage_list));
    sh->is_congested = mem_zalloc(n_all * sizeof(bool));
    sh->is_waiting = mem_zalloc(n_all * sizeof(_Atomic bool));
    sh->trim.fire = on_trim;
    handle_table_init(&sh->table, w->index);
    chunk_pool_init(&sh->pool, depot);
    worker_on_turn_end(w, on_turn_end, sh);
    return sh;
}

void shards_new(struct worker **workers, unsigned n_workers, struct chunk_depot *depot,
                struct shard **shards)
{
    for (unsigned i = 0; i <= n_workers; i++) {
        shards[i] = shard_new(workers[i], shards, n_workers + 1, depot);
    }
}

void shards_free(struct shard **shards, unsigned n_workers)
{
    for (unsigned i = 0; i <= n_workers; i++) {
        struct shard *sh = shards[i];

        for (unsigned k = 0; k < sh->n_all; k++) {
            mem_free(sh->stages[k].at);
            mem_free(sh->stages[k].by_slot);
        }
        mem_free(sh->stages);
        mem_free(sh->is_congested);
        mem_free(sh->is_waiting);
        mem_free(sh->read_buf);
        handle_table_deinit(&sh->table);
        chunk_pool_deinit(&sh->pool);
        mem_free(sh);
    }
}

void shard_before_flush(struct shard *sh, void (*fn)(void *arg), void *arg)
{
    sh->before_flush = fn;
    sh->flush_arg = arg;
}

void shard_for_each(struct shard *sh, void (*fn)(struct conn *c, void *arg), void *arg)
{
    for (uint32_t i = 0; i < sh->table.n_slots; i++) {
        struct conn *c = handle_slot(&sh->table, i)->conn;

        if (c && !conn_is_closing(c)) {
            fn(c, arg);
        }
    }
}

static void close_one(struct conn *c, void *arg)
{
    conn_close(c, *(enum close_reason *)arg);
}

void shard_drain(struct shard *sh, enum close_reason reason, void (*fn)(struct shard *, void *),
                 void *arg)
{
    sh->is_draining = true;
    sh->on_drained = fn;
    sh->drained_arg = arg;
    shard_for_each(sh, close_one, &reason);
}

void shard_add_dirty(struct shard *sh, struct conn *c)
{
    c->is_dirty = true;
    sh->n_outputs++;
    c->next_dirty = sh->dirty;
    sh->dirty = c;
}

void shard_add_closing(struct shard *sh, struct conn *c)
{
    if (!c->is_listed_closing) {
        c->is_listed_closing = true;
        c->next_closing = sh->closing;
        sh->closing = c;
    }
}

void shard_conn_gone(struct shard *sh)
{
    sh->n_conns--;
    shard_note_released(sh, RELEASED_PER_CONN);
    atomic_fetch_sub_explicit(&sh->n_load, 1, memory_order_relaxed);
}

bool shard_hold(struct shard *sh, struct conn *c)
{
    if (c->in_msgs == 0) { // not a publisher
        return false;
    }
    if (!c->is_held) {
        c->is_held = true;
        c->next_held = sh->held;
        sh->held = c;
        stream_want(&c->stream, false, c->is_blocked);
    }
    return true;
}

void shard_unhold(struct shard *sh, struct conn *c)
{
    struct conn **at = &sh->held;

    if (!c->is_held) {
        return;
    }
    while (*at != c) {
        at = &(*at)->next_held;
    }
    *at = c->next_held;
    c->is_held = false;
}
