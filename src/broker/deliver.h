/* SPDX-License-Identifier: Apache-2.0 */
/* Handing a message to those who subscribed to it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "broker/match.h"
#include "broker/sub.h"
#include "conn/shard.h"
#include "proto/msg.h"

struct account;
struct handle_slot;
struct server_block;
struct trace;

/** Services may lead to services, so often in a row. */
#define DELIVER_MAX_HOPS 32u

/** Room for the message that a service makes of another. */
struct hop {
    struct buf subject, mapped, reply, hdr, info, traced;
};

/** What a worker needs to deliver; one per worker. */
struct delivery {
    struct shard *shard;
    struct server_block *server; // that tells of itself
    struct match_cache cache;
    uint64_t random;             // state of a generator that only has to be fair
    struct buf wire, wire_bare;  // the message at hand in wire form, if the publisher's is no use
    struct buf hdr;              // its headers, likewise
    bool drops_when_high;        // no_fast_producer_stall: drop for consumers that are nearly full
    uint8_t pressure;            // highest enum pressure met by the message at hand
    struct handle_slot *pressed; // of whom; unless there is none
    struct sub **handlers;       // whose peers are to handle the messages at hand; references
    uint32_t n_handlers, handlers_cap;
    struct trace *first_trace, *last_trace; // those not published yet, in order
    uint32_t n_traces;
    struct buf mapped, seen;            // the subject of the message at hand, if it is mapped, or
                                        // seen as another one (broker/peer.h)
    struct hop *hops[DELIVER_MAX_HOPS]; // made on demand, kept
    unsigned n_hops;                    // in use
};

/** Create what a worker needs to deliver. @param server  outlives it. Thread: control, before the
 * worker runs. */
struct delivery *delivery_new(struct shard *shard, struct server_block *server,
                              bool drops_when_high);

/** Free it. Thread: control, after the worker ended. */
void delivery_free(struct delivery *d);

/**
 * Hand one message to every subscription of the account that matches it, and to one member of every
 * queue group. Targets on this worker are written at once; others are staged and go when the turn
 * ends.
 * @param m       borrowed until return
 * @param except  handle whose subscriptions get nothing (a publisher without echo), or HANDLE_NONE
 * @param hint    the publisher's
 * @return        subscriptions reached; 0: nobody
 * Thread: a worker.  Blocks: no.  Locks: the account's index (read), only on a cache miss.
 */
size_t deliver(struct delivery *d, struct account *a, struct msg *m, uint64_t except,
               struct match_hint *hint);

/**
 * The same for who has found already what the message reaches.
 * @param e  of match_find for its account and subject, and nothing was found since
 */
size_t deliver_found(struct delivery *d, struct account *a, struct msg *m, uint64_t except,
                     struct match_entry *e);

/**
 * Where a mapping sends a message that a client publishes.
 * @param e  of the message: its mapping is not NULL
 * @return   its subject; empty: nowhere. Valid until the next call
 * Thread: a worker.
 */
struct str deliver_map(struct delivery *d, const struct match_entry *e, struct str subject);

/**
 * The same for a message that a service has made.
 * @param out  room for the result
 * Thread: a worker.
 */
struct str deliver_map_hop(struct delivery *d, const struct account *a, struct str subject,
                           struct buf *out);

/**
 * The write_msg of peers that are not written to but handle messages (broker/peer.h): as they may
 * deliver others by that, it is put off until the present one has been handed to everybody else.
 * @return  0: what they reach is counted then
 */
size_t deliver_afterwards(struct delivery *d, struct msg *m, struct sub *const *subs, size_t n,
                          bool with_tickets);

/** @return  room for one more message; NULL: there are too many in a row. Thread: a worker. */
MUST_USE struct hop *deliver_enter_hop(struct delivery *d);

/** The last room is free again. Thread: a worker. */
void deliver_leave_hop(struct delivery *d);

/** Publish as the server itself. Thread: a worker. */
void deliver_own(struct delivery *d, struct account *a, struct str subject, struct str payload);

/** The same with headers. @param hdr  a whole block; empty: none */
void deliver_own_with(struct delivery *d, struct account *a, struct str subject, struct str hdr,
                      struct str payload);

/** @return  a number that is random enough to spread load. Thread: the worker. */
uint32_t deliver_random(struct delivery *d);

/** What a subscription says to one more message. */
enum ticket {
    TICKET_NONE, // it has had its maximum
    TICKET_OK,
    TICKET_LAST, // it takes this one, and is to be removed
};

/**
 * Count a delivery to s and ask whether it may be made. First the count, then the look at the
 * limit, and all that in one order for everybody: who sets a limit does it the other way round.
 * Thread: a worker.
 */
static inline enum ticket deliver_take_ticket(struct sub *s)
{
    uint64_t n = atomic_fetch_add(&s->n_delivered, 1) + 1;
    uint64_t max = atomic_load(&s->max);

    return max == 0 || n < max ? TICKET_OK : n == max ? TICKET_LAST : TICKET_NONE;
}

/** @return  m in wire form, headers included, borrowed like m. For peers, as the next. */
struct str deliver_wire(struct delivery *d, struct msg *m);

/** @return  m in wire form without its headers, borrowed like m. */
struct str deliver_wire_bare(struct delivery *d, struct msg *m);
