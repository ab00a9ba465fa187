/* SPDX-License-Identifier: Apache-2.0 */
/* Timers of a worker: a binary heap of pointers to timers embedded in their owners (24 bytes each).
 * libuv's own timers are six times as large, which matters with one or two per connection. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t due_ns;                // monotonic
    void (*fire)(struct timer *t); // on the worker's thread; the timer is no longer set
    uint32_t place;                // place in the heap, from 1; 0: not set
};

struct timer_heap {
    struct timer **at; // at[1] is due first
    uint32_t n, cap;
};

/** Release the memory; timers still set are forgotten. Thread: the owner (as for all here). */
void timer_heap_deinit(struct timer_heap *h);

/** Set t to fire at due_ns, or move it there if it is set already. */
void timer_set(struct timer_heap *h, struct timer *t, int64_t due_ns);

/** Forget t if it is set. */
void timer_clear(struct timer_heap *h, struct timer *t);

/** @return  whether t is set. */
static inline bool timer_is_set(const struct timer *t)
{
    return t->place != 0;
}

/** @return  [ns] when the first timer is due; INT64_MAX if none is set. */
int64_t timer_next_due(const struct timer_heap *h);

/** Fire all timers due at now_ns, each once; callbacks may set and clear timers. */
void timer_run_due(struct timer_heap *h, int64_t now_ns);
