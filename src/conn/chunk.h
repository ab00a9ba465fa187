/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks: the memory that output travels in. A worker takes them from its pool and whoever sent the
 * bytes puts them into its own; a shared depot evens pools out, a batch at a time, when chunks keep
 * crossing from one worker to another. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/** Two sizes, memory included: a first small one for a connection with little to send. */
#define CHUNK_SMALL_BYTES 2048u
#define CHUNK_LARGE_BYTES 16384u

enum chunk_size { CHUNK_SMALL, CHUNK_LARGE, CHUNK_SIZES, CHUNK_ODD = CHUNK_SIZES };

struct chunk {
    struct chunk *next;
    uint32_t n;   // [bytes] in use
    uint32_t cap; // [bytes] of room
    enum chunk_size size;
    char bytes[];
};

/** Chunks not in use by anyone, shared by all workers. */
struct chunk_depot {
    pthread_mutex_t lock;
    struct chunk *batch[CHUNK_SIZES]; // lists of chunks, chained (chunk.c); guarded by: lock
    unsigned n_batches[CHUNK_SIZES];  // guarded by: lock
};

/** Chunks not in use, of one worker. */
struct chunk_pool {
    struct chunk *free[CHUNK_SIZES];
    unsigned n[CHUNK_SIZES];
    struct chunk_depot *depot;
    _Atomic uint64_t n_released; // [bytes] given back to the heap so far; read by any thread
};

/** Prepare a depot. Thread: control. */
void chunk_depot_init(struct chunk_depot *d);

/** Free what is in the depot. Thread: control, all pools are gone. */
void chunk_depot_deinit(struct chunk_depot *d);

/** Free about half of what is in the depot. @return [bytes] freed. Thread: any. */
size_t chunk_depot_trim(struct chunk_depot *d);

/** Prepare the pool of a worker. Thread: before the worker runs. */
void chunk_pool_init(struct chunk_pool *p, struct chunk_depot *d);

/** Free what is in the pool. Thread: after the worker ended. */
void chunk_pool_deinit(struct chunk_pool *p);

/** Count n bytes, of chunks or else, that the owner has given back to the heap. Thread: the owner.
 */
static inline void chunk_note_released(struct chunk_pool *p, size_t n)
{
    uint64_t before = atomic_load_explicit(&p->n_released, memory_order_relaxed);

    atomic_store_explicit(&p->n_released, before + n, memory_order_relaxed);
}

/** Free about half of what lies unused; called now and then when idle. Thread: the owner. */
void chunk_pool_trim(struct chunk_pool *p);

/**
 * @param size   CHUNK_SMALL or CHUNK_LARGE
 * @param n      [bytes] of room needed at least; beyond the size a block of its own is allocated
 * @return       an empty chunk, owned by the caller
 * Thread: the owner.
 */
struct chunk *chunk_new(struct chunk_pool *p, enum chunk_size size, size_t n);

/** Give a chunk back, from whichever pool it came. Thread: the owner of p. */
void chunk_free(struct chunk_pool *p, struct chunk *c);
