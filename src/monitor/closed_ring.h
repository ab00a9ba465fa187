/* SPDX-License-Identifier: Apache-2.0 */
/* The connections that closed last (spec 07 §6). Thread: control, for all. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct conn_report;

/** [bytes] that those with a list of subscriptions may take: of more, those that closed first lose
 * theirs. */
#define CLOSED_RING_LIST_BYTES (64u << 20)

struct closed_ring {
    struct conn_report **at; // n_places of them
    size_t n_places, n;
    size_t next;         // where the next one goes
    size_t cap;          // places that there may be
    uint64_t n_added;    // ever
    size_t n_list_bytes; // taken by those with a list
    uint64_t n_stripped; // of all ever added, those that have none any more
};

/** Keep so many from now on; those that closed last stay. @param cap  0: none */
void closed_ring_resize(struct closed_ring *r, size_t cap);

/** Add one, in the place of the oldest if there are too many. @param take_report  owned by the ring
 */
void closed_ring_add(struct closed_ring *r, struct conn_report *take_report);

/** @return  the i-th of r->n, the oldest first; borrowed until the ring changes */
const struct conn_report *closed_ring_at(const struct closed_ring *r, size_t i);

/** @return  the number of the oldest: they are counted from 0 on, and keep theirs */
static inline uint64_t closed_ring_first(const struct closed_ring *r)
{
    return r->n_added - r->n;
}

/** @return  the one with this number, as closed_ring_at; NULL: it is gone */
const struct conn_report *closed_ring_find(const struct closed_ring *r, uint64_t number);

/** Release all. */
void closed_ring_deinit(struct closed_ring *r);
