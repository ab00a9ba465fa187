/* SPDX-License-Identifier: Apache-2.0 */
/* Binary heap with each timer knowing its place, so that moving and clearing need no search. */
#include "io/timer.h"

#include "base/mem.h"

static void put(struct timer_heap *h, uint32_t place, struct timer *t)
{
    h->at[place] = t;
    t->place = place;
}

static void sift_up(struct timer_heap *h, uint32_t place, struct timer *t)
{
    while (place > 1 && h->at[place / 2]->due_ns > t->due_ns) {
        put(h, place, h->at[place / 2]);
        place /= 2;
    }
    put(h, place, t);
}

static void sift_down(struct timer_heap *h, uint32_t place, struct timer *t)
{
    for (;;) {
        uint32_t child = place * 2;

        if (child > h->n) {
            break;
        }
        if (child < h->n && h->at[child + 1]->due_ns < h->at[child]->due_ns) {
            child++;
        }
        if (h->at[child]->due_ns >= t->due_ns) {
            break;
        }
        put(h, place, h->at[child]);
        place = child;
    }
    put(h, place, t);
}

static void place_anew(struct timer_heap *h, uint32_t place, struct timer *t)
{
    if (place > 1 && h->at[place / 2]->due_ns > t->due_ns) {
        sift_up(h, place, t);
    } else {
        sift_down(h, place, t);
    }
}

void timer_heap_deinit(struct timer_heap *h)
{
    for (uint32_t i = 1; i <= h->n; i++) {
        h->at[i]->place = 0;
    }
    mem_free(h->at);
    *h = (struct timer_heap){0};
}

void timer_set(struct timer_heap *h, struct timer *t, int64_t due_ns)
{
    t->due_ns = due_ns;
    if (t->place) {
        place_anew(h, t->place, t);
        return;
    }
    if (h->n + 1 >= h->cap) {
        h->cap = h->cap ? h->cap * 2 : 64;
        h->at = mem_realloc(h->at, h->cap * sizeof(struct timer *));
    }
    sift_up(h, ++h->n, t);
}

void timer_clear(struct timer_heap *h, struct timer *t)
{
    uint32_t place = t->place;

    if (place == 0) {
        return;
    }
    t->place = 0;
    struct timer *last = h->at[h->n--];
    if (last != t) {
        place_anew(h, place, last);
    }
}

int64_t timer_next_due(const struct timer_heap *h)
{
    return h->n ? h->at[1]->due_ns : INT64_MAX;
}

void timer_run_due(struct timer_heap *h, int64_t now_ns)
{
    while (h->n && h->at[1]->due_ns <= now_ns) {
        struct timer *t = h->at[1];

        timer_clear(h, t);
        t->fire(t);
    }
}
