/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery: match, pick one member of each queue group, let each kind of peer write. */
#include "broker/deliver.h"

#include <sys/random.h>

#include "base/mem.h"
#include "broker/account.h"
#include "broker/mapping.h"
#include "broker/msg_origin.h"
#include "broker/peer.h"
#include "broker/trace.h"
#include "broker/trace_deliver.h"
#include "proto/write.h"

/* What has left is counted: who unsubscribes after a number of messages must find them counted. */
static void settle(void *arg)
{
    struct delivery *d = arg;

    match_settle(&d->cache);
}

struct delivery *delivery_new(struct shard *shard, struct server_block *server,
                              bool drops_when_high)
{
    struct delivery *d = mem_zalloc(sizeof(*d));

    d->shard = shard;
    d->server = server;
    d->drops_when_high = drops_when_high;
    if (getrandom(&d->random, sizeof(d->random), 0) != sizeof(d->random) || d->random == 0) {
        d->random = 0x9e3779b97f4a7c15u ^ (uintptr_t)d;
    }
    match_cache_init(&d->cache, shard->worker);
    shard_before_flush(shard, settle, d);
    return d;
}

static void free_hop(struct hop *h)
{
    buf_deinit(&h->subject);
    buf_deinit(&h->mapped);
    buf_deinit(&h->reply);
    buf_deinit(&h->hdr);
    buf_deinit(&h->info);
    buf_deinit(&h->traced);
    mem_free(h);
}

void delivery_free(struct delivery *d)
{
    trace_drop_all(d);
    match_cache_deinit(&d->cache);
    buf_deinit(&d->wire);
    buf_deinit(&d->wire_bare);
    buf_deinit(&d->hdr);
    buf_deinit(&d->mapped);
    buf_deinit(&d->seen);
    for (unsigned i = 0; i < DELIVER_MAX_HOPS && d->hops[i]; i++) {
        free_hop(d->hops[i]);
    }
    mem_free(d->handlers);
    mem_free(d);
}

/* xorshift64* (Vigna 2014): fair enough to spread load, a few cycles. */
uint32_t deliver_random(struct delivery *d)
{
    d->random ^= d->random >> 12;
    d->random ^= d->random << 25;
    d->random ^= d->random >> 27;
    return (uint32_t)((d->random * 0x2545f4914f6cdd1du) >> 32);
}

/* Writes to subs[0 .. n-1], each run of the same kind with one call. */
static size_t write_runs(struct delivery *d, struct msg *m, struct sub *const *subs, size_t n,
                         bool with_tickets)
{
    size_t n_taken = 0;

    for (size_t i = 0; i < n;) {
        size_t end = i + 1;

        while (end < n && subs[end]->ops == subs[i]->ops) {
            end++;
        }
        n_taken += subs[i]->ops->write_msg(d, m, subs + i, end - i, with_tickets);
        i = end;
    }
    return n_taken;
}

/* To all plain subscriptions but those of one owner. */
static size_t write_except(struct delivery *d, struct msg *m, const struct match *match,
                           uint64_t except)
{
    size_t n_taken = 0;
    size_t from = 0;

    for (size_t i = 0; i <= match->n_plain; i++) {
        if (i == match->n_plain || match->subs[i]->owner == except) {
            n_taken += write_runs(d, m, match->subs + from, i - from, true);
            from = i + 1;
        }
    }
    return n_taken;
}

/* A random member, or the next one that takes the message. */
static size_t write_group(struct delivery *d, struct msg *m, struct sub *const *subs, uint32_t n,
                          uint64_t except)
{
    uint32_t at = n == 1 ? 0 : (uint32_t)((uint64_t)deliver_random(d) * n >> 32);

    for (uint32_t tried = 0; tried < n; tried++) {
        struct sub *s = subs[at];

        if (s->owner != except && s->ops->write_msg(d, m, &s, 1, true)) {
            return 1;
        }
        at = at + 1 == n ? 0 : at + 1;
    }
    return 0;
}

/* Nothing borrowed from the match is needed any more: other messages may be matched now. */
NOINLINE static size_t run_handlers(struct delivery *d, struct account *a, struct msg *m,
                                    uint64_t except, uint32_t first)
{
    uint32_t end = d->n_handlers;
    size_t n_taken = 0;

    if (m->wire.p == d->wire.p) { // likewise what was made on demand
        m->wire = (struct str){0};
    }
    if (m->wire_bare.p == d->wire_bare.p) {
        m->wire_bare = (struct str){0};
    }
    for (uint32_t i = first; i < end; i++) {
        struct sub *s = d->handlers[i];

        n_taken += s->ops->handle(d, a, m, s, except);
        sub_unref(s);
    }
    d->n_handlers = first;
    return n_taken;
}

size_t deliver_afterwards(struct delivery *d, struct msg *m, struct sub *const *subs, size_t n,
                          bool with_tickets)
{
    (void)m;
    for (size_t i = 0; i < n; i++) {
        if (d->n_handlers == d->handlers_cap) {
            d->handlers_cap = d->handlers_cap ? d->handlers_cap * 2 : 16;
            d->handlers = mem_realloc(d->handlers, d->handlers_cap * sizeof(d->handlers[0]));
        }
        if (with_tickets) {
            deliver_take_ticket(subs[i]); // it has no maximum: this is to count
        }
        d->handlers[d->n_handlers++] = sub_ref(subs[i]);
    }
    return 0;
}

struct hop *deliver_enter_hop(struct delivery *d)
{
    if (d->n_hops == DELIVER_MAX_HOPS) {
        return NULL;
    }
    if (!d->hops[d->n_hops]) {
        d->hops[d->n_hops] = mem_zalloc(sizeof(struct hop));
    }
    return d->hops[d->n_hops++];
}

void deliver_leave_hop(struct delivery *d)
{
    d->n_hops--;
}

struct str deliver_map(struct delivery *d, const struct match_entry *e, struct str subject)
{
    return mapping_apply(e->mapping, subject, deliver_random(d), &d->mapped);
}

struct str deliver_map_hop(struct delivery *d, const struct account *a, struct str subject,
                           struct buf *out)
{
    const struct mappings *all = atomic_load_explicit(&a->mappings, memory_order_acquire);
    const struct mapping *mapping = all ? mappings_find(all, subject) : NULL;

    return mapping ? mapping_apply(mapping, subject, deliver_random(d), out) : subject;
}

NOINLINE static size_t write_groups(struct delivery *d, struct msg *m, const struct match *match,
                                    uint64_t except)
{
    size_t n_taken = 0;

    for (uint32_t i = 0; i < match->n_groups; i++) {
        const struct match_group *g = &match->groups[i];

        n_taken += write_group(d, m, match->subs + g->first, g->n, except);
    }
    return n_taken;
}

/* To all that the match cache knows of. */
ALWAYS_INLINE size_t write_all(struct delivery *d, struct msg *m, uint64_t except,
                               struct match_entry *e)
{
    const struct match *match = e->match;
    size_t n_taken = 0;

    if (!match) {
        return 0;
    }
    if (UNLIKELY(except != HANDLE_NONE)) {
        n_taken = write_except(d, m, match, except);
    } else if (match->n_plain) {
        n_taken = write_runs(d, m, match->subs, match->n_plain, e->needs_tickets);
        match_hit(&d->cache, e);
    }
    if (match->n_groups) {
        n_taken += write_groups(d, m, match, except);
    }
    return n_taken;
}

ALWAYS_INLINE size_t handle_rest(struct delivery *d, struct account *a, struct msg *m,
                                 uint64_t except, uint32_t first)
{
    return UNLIKELY(d->n_handlers > first) ? run_handlers(d, a, m, except, first) : 0;
}

size_t deliver(struct delivery *d, struct account *a, struct msg *m, uint64_t except,
               struct match_hint *hint)
{
    uint32_t first = d->n_handlers;
    size_t n_taken = LIKELY(!m->origin->trace)
                         ? write_all(d, m, except, match_find(&d->cache, a, m->subject, hint))
                         : trace_deliver(d, a, m, except);

    return n_taken + handle_rest(d, a, m, except, first);
}

size_t deliver_found(struct delivery *d, struct account *a, struct msg *m, uint64_t except,
                     struct match_entry *e)
{
    uint32_t first = d->n_handlers;
    size_t n_taken =
        LIKELY(!m->origin->trace) ? write_all(d, m, except, e) : trace_deliver(d, a, m, except);

    return n_taken + handle_rest(d, a, m, except, first);
}

/* A reply that is there but empty: the wire form has two blanks, as the reference's own messages
 * do (spec 05 §1). */
void deliver_own_with(struct delivery *d, struct account *a, struct str subject, struct str hdr,
                      struct str payload)
{
    const struct msg_origin origin = {.account = a};
    struct match_hint hint = {0};
    struct msg m = {.subject = subject, .hdr = hdr, .payload = payload, .origin = &origin};
    struct buf wire = {0};

    if (hdr.n) {
        buf_printf(&wire, " %zu", hdr.n);
    }
    buf_printf(&wire, " %zu\r\n", hdr.n + payload.n);
    buf_add(&wire, hdr);
    buf_add(&wire, payload);
    buf_add(&wire, STR("\r\n"));
    m.wire = buf_str(&wire);
    deliver(d, a, &m, HANDLE_NONE, &hint);
    buf_deinit(&wire);
}

void deliver_own(struct delivery *d, struct account *a, struct str subject, struct str payload)
{
    deliver_own_with(d, a, subject, (struct str){0}, payload);
}

/* Builds "[reply ][hdr_n ]n\r\n[hdr]payload\r\n". */
static struct str build_wire(struct buf *b, const struct msg *m, struct str hdr)
{
    size_t total = hdr.n + m->payload.n;

    b->n = 0;
    char *at = buf_reserve(b, write_tail_line_max(m->reply.n) + total + 2);
    char *end = write_tail_line(at, m->reply, hdr.n, total);
    if (hdr.n) {
        end = write_str(end, hdr);
    }
    end = write_str(end, m->payload);
    end = write_str(end, STR("\r\n"));
    b->n = (size_t)(end - at);
    return buf_str(b);
}

struct str deliver_wire(struct delivery *d, struct msg *m)
{
    if (m->wire.n == 0) {
        m->wire = build_wire(&d->wire, m, m->hdr);
    }
    return m->wire;
}

struct str deliver_wire_bare(struct delivery *d, struct msg *m)
{
    if (m->hdr.n == 0) {
        return deliver_wire(d, m);
    }
    if (m->wire_bare.n == 0) {
        m->wire_bare = build_wire(&d->wire_bare, m, (struct str){0});
    }
    return m->wire_bare;
}
