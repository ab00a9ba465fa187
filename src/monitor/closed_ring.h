/* SPDX-License-Identifier: Apache-2.0 */
/* The connections that closed last (spec 07 §6). Thread: control, for all. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct closed_page;
struct conn_report;

/** [bytes] that subscriptions of closed connections may take: of more, those that closed first lose
 * theirs. */
#define CLOSED_RING_LIST_BYTES (16u << 20)

struct closed_ring {
    struct closed_page **pages; // by what number their reports begin with; some NULL
    size_t n_pages;
    size_t n;            // connections remembered
    size_t cap;          // that may be
    uint64_t n_added;    // ever
    size_t n_list_bytes; // of pages with lists
    uint64_t n_stripped; // pages, of all ever begun, that have none any more
};

/** Keep so many from now on; those that closed last stay. @param cap  0: none */
void closed_ring_resize(struct closed_ring *r, size_t cap);

/** Add a copy of a report, in the place of the oldest if there are too many. */
void closed_ring_add(struct closed_ring *r, const struct conn_report *report);

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
