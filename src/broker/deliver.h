/* SPDX-License-Identifier: Apache-2.0 */
/* Handing a message to those who subscribed to it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "broker/match.h"
#include "broker/sub.h"
#include "conn/shard.h"
#include "proto/msg.h"

struct account;

/** What a worker needs to deliver; one per worker. */
struct delivery {
    struct shard *shard;
    struct match_cache cache;
    uint64_t random;            // state of a generator that only has to be fair
    struct buf wire, wire_bare; // the message at hand in wire form, if the publisher's is no use
    bool drops_when_high;       // no_fast_producer_stall: drop for consumers that are nearly full
    uint8_t pressure;           // highest enum pressure met by the message at hand
};

/** Create what a worker needs to deliver. Thread: control, before the worker runs. */
struct delivery *delivery_new(struct shard *shard, bool drops_when_high);

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
