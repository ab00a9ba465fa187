/* SPDX-License-Identifier: Apache-2.0 */
/* Handles: how a connection is named outside its worker. 64 bits: worker, generation, slot; a
 * handle of a connection that is gone never matches its successor in the slot. The table of a
 * worker's slots is written by that worker; others may read a slot's generation and pressure, so
 * slots never move. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;

/** No connection has this handle. */
#define HANDLE_NONE UINT64_C(0)

/** How full the output of a connection is; what producers elsewhere may know of it. */
enum pressure {
    PRESSURE_NONE = 0,
    PRESSURE_HIGH = 1, // above three quarters of its limit
    PRESSURE_FULL = 2, // at its limit
};

struct handle_slot {
    _Atomic uint32_t generation; // odd: in use
    _Atomic uint32_t pressure;   // enum pressure
    struct conn *conn;           // owner's thread only; free slots: NULL
    uint32_t next_free;
    _Atomic uint32_t n_stalls; // how often producers had to wait for it; any thread
};

/** Segment k holds HANDLE_FIRST_SLOTS << k slots; together they cover the 24 bits of a slot
 * number. */
#define HANDLE_FIRST_SLOTS 256u
#define HANDLE_SEGMENTS 16u

struct handle_table {
    _Atomic(struct handle_slot *) segments[HANDLE_SEGMENTS];
    uint32_t n_slots;    // handed out at least once
    uint32_t first_free; // slot + 1; 0: none
    uint32_t n_used;
    unsigned worker;
};

/** @return  the worker that owns the connection. */
static inline unsigned handle_worker(uint64_t h)
{
    return (unsigned)(h >> 56);
}

/** @return  the slot in that worker's table. */
static inline uint32_t handle_slot_number(uint64_t h)
{
    return (uint32_t)h & 0xffffffu;
}

/** @return  the generation of the slot, modulo 2^32. */
static inline uint32_t handle_generation(uint64_t h)
{
    return (uint32_t)(h >> 24);
}

/** Prepare the table of a worker. Thread: before the worker runs. */
void handle_table_init(struct handle_table *t, unsigned worker);

/** Release the slots; all connections are gone. Thread: after all workers ended. */
void handle_table_deinit(struct handle_table *t);

/** Give a connection a handle. @return HANDLE_NONE if there are too many. Thread: the owner. */
uint64_t handle_add(struct handle_table *t, struct conn *c);

/** Take the handle of a connection back; from now on it names nothing. Thread: the owner. */
void handle_remove(struct handle_table *t, uint64_t h);

/** @return  the segment that holds slot number i. */
static inline unsigned handle_segment(uint32_t i)
{
    return 31u - (unsigned)__builtin_clz(i / HANDLE_FIRST_SLOTS + 1);
}

/** @return  the slot of a handle of this table. Thread: any. */
static inline struct handle_slot *handle_slot(struct handle_table *t, uint64_t h)
{
    uint32_t i = handle_slot_number(h);
    unsigned segment = handle_segment(i);
    struct handle_slot *slots = atomic_load_explicit(&t->segments[segment], memory_order_acquire);

    return &slots[i - ((HANDLE_FIRST_SLOTS << segment) - HANDLE_FIRST_SLOTS)];
}

/** @return  whether the handle still names a connection; may be outdated at once. Thread: any. */
static inline bool handle_is_live(struct handle_slot *s, uint64_t h)
{
    return atomic_load_explicit(&s->generation, memory_order_relaxed) == handle_generation(h);
}

/** @return  the connection that h names, NULL if it is gone. Thread: the owner. */
static inline struct conn *handle_find(struct handle_table *t, uint64_t h)
{
    struct handle_slot *s = handle_slot(t, h);

    return handle_is_live(s, h) ? s->conn : NULL;
}
