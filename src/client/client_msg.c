/* SPDX-License-Identifier: Apache-2.0 */
/* Encoding MSG and HMSG for clients. Runs on the publisher's worker: a client that lives here gets
 * the bytes into its output queue, one that lives elsewhere into the queue staged for it. */
#include "base/clock.h"
#include "base/copy.h"
#include "base/mem.h"
#include "broker/deliver.h"
#include "broker/msg_origin.h"
#include "broker/rights.h"
#include "broker/trace.h"
#include "client/client.h"
#include "io/worker.h"

/** Messages up to this size are written in one piece; longer ones may be cut at chunk ends. */
#define ONE_PIECE_BYTES 2048u

/** The last delivery to a limited subscription was made elsewhere: its owner removes it. */
struct expiry {
    struct inbox_item item;
    struct shard *shard; // the owner's
    struct sub *sub;     // a reference
};

static void expire_here(struct shard *sh, struct sub *s)
{
    struct conn *conn = handle_find(&sh->table, s->owner);

    if (conn) {
        client_remove_sub(client_of(conn), s);
    }
}

static void on_expiry(struct worker *w, struct inbox_item *item)
{
    struct expiry *e = CONTAINER_OF(item, struct expiry, item);

    (void)w;
    expire_here(e->shard, e->sub);
    sub_unref(e->sub);
    mem_free(e);
}

static void expire(struct shard *sh, struct sub *s)
{
    struct shard *owner = sh->all[handle_worker(s->owner)];

    if (owner == sh) {
        expire_here(sh, s);
        return;
    }
    struct expiry *e = mem_alloc(sizeof(*e));
    *e = (struct expiry){.item.run = on_expiry, .shard = owner, .sub = sub_ref(s)};
    worker_post(owner->worker, &e->item);
}

/* "MSG subject sid tail" or "HMSG subject sid tail". */
static inline void encode(struct outq *q, struct chunk_pool *pool, const struct msg *m,
                          const struct sub *s, bool with_headers, struct str tail)
{
    size_t line_n = 1 + 4 + m->subject.n + 1 + s->sid_n + 1;
    bool in_one = tail.n <= ONE_PIECE_BYTES;
    char *at = outq_reserve(q, pool, line_n + (in_one ? tail.n : 0));

    if (with_headers) {
        *at++ = 'H';
    }
    memcpy(at, "MSG ", 4);
    at = copy_bytes(at + 4, m->subject.p, m->subject.n);
    *at++ = ' ';
    at = copy_bytes(at, s->bytes, s->sid_n);
    *at++ = ' ';
    if (in_one) {
        at = copy_bytes(at, tail.p, tail.n);
    }
    outq_commit(q, at);
    if (!in_one) {
        outq_write(q, pool, tail);
    }
}

/* Where output for the owner of s goes; NULL if that is gone. *here: its connection if it is
 * ours. */
static inline struct outq *find_output(struct delivery *d, const struct sub *s, struct conn **here)
{
    struct shard *sh = d->shard;
    bool is_here = handle_worker(s->owner) == sh->index;
    struct shard *owner = is_here ? sh : sh->all[handle_worker(s->owner)];
    struct handle_slot *slot = handle_slot(&owner->table, s->owner);

    if (UNLIKELY(!handle_is_live(slot, s->owner))) {
        return NULL;
    }
    uint32_t pressure = atomic_load_explicit(&slot->pressure, memory_order_relaxed);
    if (UNLIKELY(pressure > d->pressure)) {
        d->pressure = (uint8_t)pressure;
        d->pressed = slot;
    }
    if (!is_here) {
        *here = NULL;
        return shard_stage(sh, s->owner);
    }
    *here = slot->conn;
    return conn_is_closing(slot->conn) ? NULL : &slot->conn->out;
}

/* A wide fan-out touches a record, a connection and the end of a queue for each target, all cold:
 * have them fetched while the targets before are served. */
static inline void prefetch_target(const struct shard *sh, struct sub *const *subs, size_t i,
                                   size_t n)
{
    if (i + 4 < n) {
        __builtin_prefetch(subs[i + 4]);
        __builtin_prefetch(subs[i + 4]->bytes);
    }
    if (i + 2 < n && handle_worker(subs[i + 2]->owner) == sh->index) {
        struct handle_table *t = (struct handle_table *)(uintptr_t)&sh->table;

        __builtin_prefetch(handle_slot(t, subs[i + 2]->owner)->conn);
    }
}

static void trace_msg(struct conn *here, const struct msg *m, const struct sub *s)
{
    if (here) {
        client_trace_msg(client_of(here), m, s);
    }
}

/* A consumer that is nearly full gets nothing more, if that is what was asked for. */
static inline bool is_to_be_dropped(struct delivery *d)
{
    if (LIKELY(d->pressure == PRESSURE_NONE) || !d->drops_when_high) {
        return false;
    }
    d->pressure = PRESSURE_NONE;
    return true;
}

static inline void write_one(struct delivery *d, struct msg *m, const struct sub *s, struct outq *q,
                             struct conn *here)
{
    bool with_headers = m->hdr.n && (sub_flags(s) & SUB_HEADERS);
    struct str tail = with_headers ? deliver_wire(d, m) : deliver_wire_bare(d, m);

    encode(q, &d->shard->pool, m, s, with_headers, tail);
    d->shard->turn_bytes += tail.n + m->subject.n;
    q->n_msgs++;
    q->n_msg_bytes += m->payload.n + (with_headers ? m->hdr.n : 0);
    if (here) {
        conn_output_grew(here);
    }
}

/* Its client may answer the request, for so long. */
static void grant(const struct sub *s, struct str reply)
{
    const struct rights *r = atomic_load(&s->rights);

    if (r && r->grants) {
        grants_add(r->grants, reply, clock_now_ns());
    }
}

/* What becomes of one message for one subscription. */
enum outcome { GONE, CLOSED, SPENT, DROPPED, WRITTEN };

ALWAYS_INLINE enum outcome write_to(struct delivery *d, struct msg *m, struct sub *s,
                                    bool with_tickets, bool is_logged)
{
    struct conn *here;
    struct outq *q = find_output(d, s, &here);

    if (UNLIKELY(!q)) {
        return GONE;
    }
    enum ticket ticket = with_tickets ? deliver_take_ticket(s) : TICKET_OK;
    /* After the ticket: who unsubscribes sees that, or is seen here (client_sub.c). */
    uint32_t flags = atomic_load(&s->flags);
    if (UNLIKELY(ticket == TICKET_NONE || flags & SUB_CLOSED)) {
        return flags & SUB_CLOSED ? CLOSED : SPENT;
    }
    if (UNLIKELY(flags & SUB_ASKED) && m->reply.n) {
        grant(s, m->reply);
    }
    bool is_dropped = is_to_be_dropped(d);
    if (LIKELY(!is_dropped)) {
        write_one(d, m, s, q, here);
        if (UNLIKELY(is_logged)) {
            trace_msg(here, m, s);
        }
    }
    if (UNLIKELY(ticket == TICKET_LAST)) {
        expire(d->shard, s);
    }
    return is_dropped ? DROPPED : WRITTEN;
}

/* A dropped one counts. */
static inline bool is_taken(enum outcome o)
{
    return o >= DROPPED;
}

/* As client_write_msg, for a message that is traced. */
static size_t write_traced(struct delivery *d, struct msg *m, struct sub *const *subs, size_t n,
                           bool with_tickets)
{
    static const char *const errors[] = {
        [GONE] = "Not delivered because client is closed",
        [CLOSED] = "Not delivered because subscription is closed",
        [SPENT] = "Not delivered because auto-unsubscribe exceeded",
        [DROPPED] = "Not delivered because fast producer not stalled and consumer is slow",
        [WRITTEN] = NULL,
    };
    struct trace *t = m->origin->trace;
    size_t n_taken = 0;

    for (size_t i = 0; i < n; i++) {
        enum outcome o = WRITTEN;

        if (t->stage.refusal) {
            trace_egress(t, subs[i], &client_peer_ops, t->stage.refusal);
            continue;
        }
        if (!t->is_only) {
            o = write_to(d, m, subs[i], with_tickets, log_enabled(LOG_TRC));
        }
        trace_egress(t, subs[i], &client_peer_ops, errors[o]);
        n_taken += is_taken(o);
    }
    return n_taken;
}

static size_t client_write_msg(struct delivery *d, struct msg *m, struct sub *const *subs, size_t n,
                               bool with_tickets)
{
    bool is_logged = log_enabled(LOG_TRC);
    size_t n_taken = 0;

    if (UNLIKELY(m->origin->trace != NULL)) {
        return write_traced(d, m, subs, n, with_tickets);
    }
    for (size_t i = 0; i < n; i++) {
        prefetch_target(d->shard, subs, i, n);
        n_taken += is_taken(write_to(d, m, subs[i], with_tickets, is_logged));
    }
    return n_taken;
}

static const struct speaker *speaker_of(struct conn *c)
{
    return &client_of(c)->speaker;
}

const struct peer_ops client_peer_ops = {
    .kind = "Client", .write_msg = client_write_msg, .speaker = speaker_of};
