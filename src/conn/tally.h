/* SPDX-License-Identifier: Apache-2.0 */
/* How many messages came in and went out: of one account, on one worker. Written by that worker
 * only, once per burst and not per message; read by any thread, which adds up. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/attr.h"

/** A snapshot of a tally, or a sum of several. */
struct traffic {
    uint64_t in_msgs, in_bytes, out_msgs, out_bytes; // [bytes] headers and payloads
};

struct tally {
    _Alignas(CACHE_LINE_BYTES) _Atomic uint64_t in_msgs;
    _Atomic uint64_t in_bytes, out_msgs, out_bytes;
};

/** Add to a counter of a tally; its worker alone writes, so this need not be one step. Internal. */
static inline void tally_grow(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, old + n, memory_order_relaxed);
}

/** Count what came in. Thread: the worker of the tally. */
static inline void tally_add_in(struct tally *t, uint64_t n_msgs, uint64_t n_bytes)
{
    tally_grow(&t->in_msgs, n_msgs);
    tally_grow(&t->in_bytes, n_bytes);
}

/** Count what went out. Thread: the worker of the tally. */
static inline void tally_add_out(struct tally *t, uint64_t n_msgs, uint64_t n_bytes)
{
    tally_grow(&t->out_msgs, n_msgs);
    tally_grow(&t->out_bytes, n_bytes);
}

/**
 * What will be counted in one tally when it goes out counts in another. Until then the first may be
 * below zero, modulo 2^64.
 * Thread: the worker of both.
 */
static inline void tally_move_out(struct tally *from, struct tally *to, uint64_t n_msgs,
                                  uint64_t n_bytes)
{
    tally_add_out(from, -n_msgs, -n_bytes);
    tally_add_out(to, n_msgs, n_bytes);
}

/** Add to a sum what a tally has now, modulo 2^64. Thread: any. */
static inline void tally_sum(const struct tally *t, struct traffic *sum)
{
    sum->in_msgs += atomic_load_explicit(&t->in_msgs, memory_order_relaxed);
    sum->in_bytes += atomic_load_explicit(&t->in_bytes, memory_order_relaxed);
    sum->out_msgs += atomic_load_explicit(&t->out_msgs, memory_order_relaxed);
    sum->out_bytes += atomic_load_explicit(&t->out_bytes, memory_order_relaxed);
}
