/* SPDX-License-Identifier: Apache-2.0 */
/* The connections that closed last (spec 07 §6). Thread: control, for all. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct conn_report;

struct closed_ring {
    struct conn_report **at; // n_places of them
    size_t n_places, n;
    size_t next;      // where the next one goes
    size_t cap;       // places that there may be
    uint64_t n_added; // ever
};

/** Keep so many from now on; those that closed last stay. @param cap  0: none */
void closed_ring_resize(struct closed_ring *r, size_t cap);

/** Add one, in the place of the oldest if there are too many. @param take_report  owned by the ring
 */
void closed_ring_add(struct closed_ring *r, struct conn_report *take_report);

/** @return  the i-th of r->n, the oldest first; borrowed until the ring changes */
const struct conn_report *closed_ring_at(const struct closed_ring *r, size_t i);

/** Release all. */
void closed_ring_deinit(struct closed_ring *r);
