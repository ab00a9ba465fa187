/* SPDX-License-Identifier: Apache-2.0 */
/* How values are distributed, in buckets by powers of two. Written by one worker only, a few times
 * per turn; read by any thread, which adds up. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/** The i-th bucket holds values up to 2^i that no bucket before it holds; the last one, all
 * others. */
#define HISTOGRAM_BUCKETS 26u

struct histogram {
    _Atomic uint64_t n[HISTOGRAM_BUCKETS];
    _Atomic uint64_t sum; // of the values
};

/** A snapshot of a histogram, or a sum of several. */
struct histogram_sum {
    uint64_t n[HISTOGRAM_BUCKETS];
    uint64_t sum;
};

/** @return  the number of the bucket that holds a value. Thread: any. */
static inline unsigned histogram_bucket(uint64_t value)
{
    unsigned i = value > 1 ? 64u - (unsigned)__builtin_clzll(value - 1) : 0;

    return i < HISTOGRAM_BUCKETS ? i : HISTOGRAM_BUCKETS - 1;
}

/** Count a value. Thread: the worker of the histogram; as it alone writes, nothing here need be one
 * step. */
static inline void histogram_add(struct histogram *h, uint64_t value)
{
    _Atomic uint64_t *n = &h->n[histogram_bucket(value)];
    uint64_t sum = atomic_load_explicit(&h->sum, memory_order_relaxed);

    atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    atomic_store_explicit(&h->sum, sum + value, memory_order_relaxed);
}

/** Add to a sum what a histogram has now. Thread: any. */
static inline void histogram_sum(const struct histogram *h, struct histogram_sum *out)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        out->n[i] += atomic_load_explicit(&h->n[i], memory_order_relaxed);
    }
    out->sum += atomic_load_explicit(&h->sum, memory_order_relaxed);
}
