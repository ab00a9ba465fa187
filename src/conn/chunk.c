/* SPDX-License-Identifier: Apache-2.0 */
/* Pools keep a few dozen chunks; beyond that a batch goes to the depot, which keeps a few batches
 * and frees the rest. In the depot, batches are chained through the `bytes` of their first
 * chunk. */
#include "conn/chunk.h"

#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "base/mem.h"

#define BATCH 16u
#define POOL_MAX 64u
#define DEPOT_MAX 32u // batches of each size

static const uint32_t total_bytes[CHUNK_SIZES] = {CHUNK_SMALL_BYTES, CHUNK_LARGE_BYTES};

static void set_next_batch(struct chunk *first, struct chunk *next)
{
    memcpy(first->bytes, &next, sizeof(struct chunk *));
}

static struct chunk *next_batch(const struct chunk *first)
{
    struct chunk *next;

    memcpy(&next, first->bytes, sizeof(struct chunk *));
    return next;
}

static void free_list(struct chunk *c)
{
    while (c) {
        struct chunk *next = c->next;

        mem_free(c);
        c = next;
    }
}

void chunk_depot_init(struct chunk_depot *d)
{
    *d = (struct chunk_depot){0};
    pthread_mutex_init(&d->lock, NULL);
}

/* The batch given last; NULL: none. */
static struct chunk *remove_batch(struct chunk_depot *d, enum chunk_size s)
{
    pthread_mutex_lock(&d->lock);
    struct chunk *batch = d->batch[s];
    if (batch) {
        d->batch[s] = next_batch(batch);
        d->n_batches[s]--;
    }
    pthread_mutex_unlock(&d->lock);
    return batch;
}

void chunk_depot_deinit(struct chunk_depot *d)
{
    for (enum chunk_size s = 0; s < CHUNK_SIZES; s++) {
        struct chunk *batch;

        while ((batch = remove_batch(d, s)) != NULL) {
            free_list(batch);
        }
    }
    pthread_mutex_destroy(&d->lock);
}

static unsigned count_batches(struct chunk_depot *d, enum chunk_size s)
{
    pthread_mutex_lock(&d->lock);
    unsigned n = d->n_batches[s];
    pthread_mutex_unlock(&d->lock);
    return n;
}

size_t chunk_depot_trim(struct chunk_depot *d)
{
    size_t n_freed = 0;

    for (enum chunk_size s = 0; s < CHUNK_SIZES; s++) {
        for (unsigned n = (count_batches(d, s) + 1) / 2; n > 0; n--) {
            struct chunk *batch = remove_batch(d, s);

            n_freed += batch ? (size_t)BATCH * total_bytes[s] : 0;
            free_list(batch);
        }
    }
    return n_freed;
}

void chunk_pool_init(struct chunk_pool *p, struct chunk_depot *d)
{
    *p = (struct chunk_pool){.depot = d};
}

void chunk_pool_deinit(struct chunk_pool *p)
{
    for (int s = 0; s < CHUNK_SIZES; s++) {
        free_list(p->free[s]);
    }
}

void chunk_pool_trim(struct chunk_pool *p)
{
    for (int s = 0; s < CHUNK_SIZES; s++) {
        for (unsigned n = (p->n[s] + 1) / 2; n > 0; n--) {
            struct chunk *c = p->free[s];

            p->free[s] = c->next;
            p->n[s]--;
            chunk_note_released(p, total_bytes[s]);
            mem_free(c);
        }
    }
}

/* Fills an empty pool from the depot, if that has a batch. */
static void take_batch(struct chunk_pool *p, enum chunk_size s)
{
    struct chunk *batch = remove_batch(p->depot, s);

    if (batch) {
        p->free[s] = batch;
        p->n[s] = BATCH;
    }
}

/* Moves a batch from an overfull pool to the depot, or frees it when the depot is full too. */
static void give_batch(struct chunk_pool *p, enum chunk_size s)
{
    struct chunk_depot *d = p->depot;
    struct chunk *first = p->free[s];
    struct chunk *last = first;

    for (unsigned i = 1; i < BATCH; i++) {
        last = last->next;
    }
    p->free[s] = last->next;
    p->n[s] -= BATCH;
    last->next = NULL;

    pthread_mutex_lock(&d->lock);
    bool is_full = d->n_batches[s] >= DEPOT_MAX;
    if (!is_full) {
        set_next_batch(first, d->batch[s]);
        d->batch[s] = first;
        d->n_batches[s]++;
    }
    pthread_mutex_unlock(&d->lock);
    if (is_full) {
        chunk_note_released(p, (size_t)BATCH * total_bytes[s]);
        free_list(first);
    }
}

struct chunk *chunk_new(struct chunk_pool *p, enum chunk_size size, size_t n)
{
    if (n > total_bytes[size] - sizeof(struct chunk)) {
        size = n > CHUNK_LARGE_BYTES - sizeof(struct chunk) ? CHUNK_ODD : CHUNK_LARGE;
    }
    struct chunk *c;
    if (UNLIKELY(size == CHUNK_ODD)) {
        c = mem_alloc(sizeof(*c) + n);
        c->cap = (uint32_t)n;
    } else {
        if (!p->free[size]) {
            take_batch(p, size);
        }
        c = p->free[size];
        if (c) {
            p->free[size] = c->next;
            p->n[size]--;
        } else {
            c = mem_alloc(total_bytes[size]);
        }
        c->cap = total_bytes[size] - (uint32_t)sizeof(*c);
    }
    c->next = NULL;
    c->n = 0;
    c->size = size;
    return c;
}

void chunk_free(struct chunk_pool *p, struct chunk *c)
{
    if (UNLIKELY(c->size == CHUNK_ODD)) {
        chunk_note_released(p, c->cap);
        mem_free(c);
        return;
    }
    c->next = p->free[c->size];
    p->free[c->size] = c;
    if (UNLIKELY(++p->n[c->size] > POOL_MAX)) {
        give_batch(p, c->size);
    }
}
