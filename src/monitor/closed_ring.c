/* SPDX-License-Identifier: Apache-2.0 */
/* The array grows as connections close, up to what is configured. */
#include "monitor/closed_ring.h"

#include "base/mem.h"
#include "conn/conn_report.h"

#define FIRST_PLACES 64u

static size_t place_of(const struct closed_ring *r, size_t i)
{
    return (r->next + r->n_places - r->n + i) % r->n_places;
}

/* What counts of a report. */
static size_t list_bytes(const struct conn_report *report)
{
    return report->n_listed_subs ? report->n_bytes : 0;
}

static void drop(struct closed_ring *r, struct conn_report *take_report)
{
    if (take_report) {
        r->n_list_bytes -= list_bytes(take_report);
        mem_free(take_report);
    }
}

/* Forgets subscriptions of those that closed first, until few enough are left. */
static void strip(struct closed_ring *r)
{
    uint64_t first = closed_ring_first(r);

    for (uint64_t i = r->n_stripped > first ? r->n_stripped : first;
         r->n_list_bytes > CLOSED_RING_LIST_BYTES && i < r->n_added; i++) {
        struct conn_report **at = &r->at[place_of(r, (size_t)(i - first))];

        r->n_list_bytes -= list_bytes(*at);
        *at = conn_report_strip(*at);
        r->n_stripped = i + 1;
    }
}

/* Moves the last n of a ring to the front of a new array; those before are gone. */
static void rebuild(struct closed_ring *r, size_t n_places)
{
    struct conn_report **at = mem_zalloc(n_places * sizeof(at[0]));
    size_t n_kept = r->n < n_places ? r->n : n_places;

    for (size_t i = 0; i < r->n; i++) {
        struct conn_report *report = r->at[place_of(r, i)];

        if (i < r->n - n_kept) {
            drop(r, report);
        } else {
            at[i - (r->n - n_kept)] = report;
        }
    }
    mem_free(r->at);
    r->at = at;
    r->n_places = n_places;
    r->n = n_kept;
    r->next = n_places ? n_kept % n_places : 0;
}

void closed_ring_resize(struct closed_ring *r, size_t cap)
{
    r->cap = cap;
    if (r->n_places > cap) {
        rebuild(r, cap);
    }
}

void closed_ring_add(struct closed_ring *r, struct conn_report *take_report)
{
    r->n_added++;
    if (r->n == r->n_places && r->n_places < r->cap) {
        size_t n = r->n_places ? r->n_places * 2 : FIRST_PLACES;

        rebuild(r, n < r->cap ? n : r->cap);
    }
    if (r->n_places == 0) {
        mem_free(take_report);
        return;
    }
    drop(r, r->at[r->next]);
    r->at[r->next] = take_report;
    r->next = (r->next + 1) % r->n_places;
    r->n += r->n < r->n_places;
    r->n_list_bytes += list_bytes(take_report);
    strip(r);
}

const struct conn_report *closed_ring_at(const struct closed_ring *r, size_t i)
{
    return r->at[place_of(r, i)];
}

const struct conn_report *closed_ring_find(const struct closed_ring *r, uint64_t number)
{
    uint64_t first = closed_ring_first(r);

    return number >= first && number < r->n_added ? closed_ring_at(r, (size_t)(number - first))
                                                  : NULL;
}

void closed_ring_deinit(struct closed_ring *r)
{
    for (size_t i = 0; i < r->n_places; i++) {
        mem_free(r->at[i]);
    }
    mem_free(r->at);
    *r = (struct closed_ring){0};
}
