/* SPDX-License-Identifier: Apache-2.0 */
/* The slots of a worker's connections, in segments that are never moved nor given back. */
#include "conn/handle.h"

#include "base/attr.h"
#include "base/mem.h"

void handle_table_init(struct handle_table *t, unsigned worker)
{
    t->worker = worker;
}

void handle_table_deinit(struct handle_table *t)
{
    for (uint32_t i = 0; i < HANDLE_SEGMENTS; i++) {
        mem_free(atomic_load_explicit(&t->segments[i], memory_order_relaxed));
    }
}

/* A slot never used before; NULL if the table is full. */
static struct handle_slot *new_slot(struct handle_table *t, uint32_t *number)
{
    unsigned segment = handle_segment(t->n_slots);

    if (segment == HANDLE_SEGMENTS) {
        return NULL;
    }
    if (!atomic_load_explicit(&t->segments[segment], memory_order_relaxed)) {
        struct handle_slot *slots =
            mem_zalloc((size_t)(HANDLE_FIRST_SLOTS << segment) * sizeof(struct handle_slot));

        atomic_store_explicit(&t->segments[segment], slots, memory_order_release);
    }
    *number = t->n_slots++;
    return handle_slot(t, *number);
}

uint64_t handle_add(struct handle_table *t, struct conn *c)
{
    uint32_t number;
    struct handle_slot *s;

    if (t->first_free) {
        number = t->first_free - 1;
        s = handle_slot(t, number);
        t->first_free = s->next_free;
    } else {
        s = new_slot(t, &number);
        if (!s) {
            return HANDLE_NONE;
        }
    }
    uint32_t generation = atomic_load_explicit(&s->generation, memory_order_relaxed) + 1;
    s->conn = c;
    atomic_store_explicit(&s->pressure, PRESSURE_NONE, memory_order_relaxed);
    atomic_store_explicit(&s->n_stalls, 0, memory_order_relaxed);
    atomic_store_explicit(&s->generation, generation, memory_order_relaxed);
    t->n_used++;
    return (uint64_t)t->worker << 56 | (uint64_t)generation << 24 | number;
}

void handle_remove(struct handle_table *t, uint64_t h)
{
    struct handle_slot *s = handle_slot(t, h);

    ENSURE(handle_is_live(s, h));
    s->conn = NULL;
    atomic_store_explicit(&s->generation, handle_generation(h) + 1, memory_order_relaxed);
    s->next_free = t->first_free;
    t->first_free = handle_slot_number(h) + 1;
    t->n_used--;
}
