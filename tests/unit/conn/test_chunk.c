/* SPDX-License-Identifier: Apache-2.0 */
/* conn/chunk.h: chunks that cross from pool to pool by way of the depot; what is kept is
 * bounded. */
#include "conn/chunk.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define N_CHUNKS 2000u
#define POOL_KEEPS 64u // chunk.c
#define DEPOT_KEEPS (32u * 16u)
#define N_WORKERS 4u
#define N_ROUNDS 20000u

static uint32_t random_below(uint64_t *state, uint32_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((*state >> 32) * n >> 32);
}

static uint32_t n_listed(const struct chunk *c)
{
    uint32_t n = 0;

    for (; c; c = c->next) {
        n++;
    }
    return n;
}

static void check_pool(const struct chunk_pool *p)
{
    for (int s = 0; s < CHUNK_SIZES; s++) {
        assert_int_equal(n_listed(p->free[s]), p->n[s]);
        assert_true(p->n[s] <= POOL_KEEPS);
    }
}

static struct chunk *new_chunk(struct chunk_pool *p, enum chunk_size size, size_t n)
{
    struct chunk *c = chunk_new(p, size, n);

    assert_null(c->next);
    assert_int_equal(c->n, 0);
    assert_true(c->cap >= n);
    memset(c->bytes, 0xab, c->cap);
    return c;
}

/* A chunk is as large as asked for; the size class says the least. */
static void test_sizes(void **state)
{
    static const size_t sizes[] = {0,
                                   1,
                                   CHUNK_SMALL_BYTES - sizeof(struct chunk),
                                   CHUNK_SMALL_BYTES - sizeof(struct chunk) + 1,
                                   CHUNK_LARGE_BYTES - sizeof(struct chunk),
                                   CHUNK_LARGE_BYTES - sizeof(struct chunk) + 1,
                                   1u << 20};
    struct chunk_depot d;
    struct chunk_pool p;

    (void)state;
    chunk_depot_init(&d);
    chunk_pool_init(&p, &d);
    for (unsigned size = CHUNK_SMALL; size < CHUNK_SIZES; size++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct chunk *c = new_chunk(&p, size, sizes[i]);

            assert_true(c->size >= size);
            assert_true(c->size == CHUNK_ODD ||
                        c->cap == (c->size == CHUNK_SMALL ? CHUNK_SMALL_BYTES : CHUNK_LARGE_BYTES) -
                                      sizeof(struct chunk));
            chunk_free(&p, c);
        }
    }
    check_pool(&p);
    chunk_pool_deinit(&p);
    chunk_depot_deinit(&d);
}

/* However much was in use, what pool and depot keep is bounded, and trimming gives that back
 * too. */
static void test_bounds(void **state)
{
    static struct chunk *chunks[N_CHUNKS];
    struct chunk_depot d;
    struct chunk_pool p;

    (void)state;
    chunk_depot_init(&d);
    chunk_pool_init(&p, &d);
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < N_CHUNKS; i++) {
            chunks[i] = new_chunk(&p, i % 2 ? CHUNK_LARGE : CHUNK_SMALL, 1);
        }
        for (uint32_t i = 0; i < N_CHUNKS; i++) {
            chunk_free(&p, chunks[i]);
            if (i % 100 == 0) {
                check_pool(&p);
            }
        }
        for (int s = 0; s < CHUNK_SIZES; s++) {
            assert_true(d.n_batches[s] * 16 <= DEPOT_KEEPS);
        }
    }
    while (p.n[CHUNK_SMALL] || p.n[CHUNK_LARGE]) {
        uint32_t n_before = p.n[CHUNK_SMALL] + p.n[CHUNK_LARGE];

        chunk_pool_trim(&p);
        check_pool(&p);
        assert_true(p.n[CHUNK_SMALL] + p.n[CHUNK_LARGE] < n_before);
    }
    chunk_pool_trim(&p); // nothing left
    chunk_pool_deinit(&p);
    chunk_depot_deinit(&d);
}

/* One pool only takes and the other only gives: the depot brings the chunks back. */
static void test_one_way(void **state)
{
    struct chunk_depot d;
    struct chunk_pool from;
    struct chunk_pool to;

    (void)state;
    chunk_depot_init(&d);
    chunk_pool_init(&from, &d);
    chunk_pool_init(&to, &d);
    uint32_t n_from_depot = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        bool is_empty = from.n[CHUNK_LARGE] == 0;
        struct chunk *c = new_chunk(&from, CHUNK_LARGE, 1);

        n_from_depot += is_empty && from.n[CHUNK_LARGE] > 0;
        chunk_free(&to, c);
    }
    assert_true(n_from_depot > 30);
    check_pool(&from);
    check_pool(&to);
    chunk_pool_deinit(&from);
    chunk_pool_deinit(&to);
    chunk_depot_deinit(&d);
}

/** A worker that takes chunks from its pool and hands them to another one, which frees them. */
struct worker_thread {
    pthread_t thread;
    unsigned index;
    struct chunk_pool pool;
    struct worker_thread *all;
    _Atomic(struct chunk *) in; // a list through `next`
    uint32_t n_freed;
};

static _Atomic uint32_t n_passed, n_running;

static void pass_on(struct worker_thread *to, struct chunk *c)
{
    struct chunk *head = atomic_load_explicit(&to->in, memory_order_relaxed);

    do {
        c->next = head;
    } while (!atomic_compare_exchange_weak(&to->in, &head, c));
}

static void free_received(struct worker_thread *w)
{
    struct chunk *next;

    for (struct chunk *c = atomic_exchange(&w->in, NULL); c; c = next) {
        next = c->next;
        assert_int_equal((unsigned char)c->bytes[c->cap - 1], 0xab);
        chunk_free(&w->pool, c);
        w->n_freed++;
    }
}

static void *pass_chunks(void *arg)
{
    struct worker_thread *w = arg;
    uint64_t random = w->index + 1;

    for (uint32_t i = 0; i < N_ROUNDS; i++) {
        struct chunk *c = new_chunk(&w->pool, i % 4 ? CHUNK_SMALL : CHUNK_LARGE,
                                    random_below(&random, 100) ? 1 : CHUNK_LARGE_BYTES);

        pass_on(&w->all[random_below(&random, N_WORKERS)], c);
        if (i % 7 == 0) {
            free_received(w);
        }
        if (i % 5000 == 0) {
            chunk_pool_trim(&w->pool);
        }
    }
    atomic_fetch_add(&n_passed, N_ROUNDS);
    atomic_fetch_sub(&n_running, 1);
    while (atomic_load(&n_running)) {
        free_received(w);
    }
    free_received(w);
    return NULL;
}

static void test_threads(void **state)
{
    static struct worker_thread workers[N_WORKERS];
    struct chunk_depot d;
    uint32_t n_freed = 0;

    (void)state;
    chunk_depot_init(&d);
    atomic_store(&n_running, N_WORKERS);
    for (unsigned i = 0; i < N_WORKERS; i++) {
        workers[i] = (struct worker_thread){.index = i, .all = workers};
        chunk_pool_init(&workers[i].pool, &d);
    }
    for (unsigned i = 0; i < N_WORKERS; i++) {
        assert_int_equal(pthread_create(&workers[i].thread, NULL, pass_chunks, &workers[i]), 0);
    }
    for (unsigned i = 0; i < N_WORKERS; i++) {
        pthread_join(workers[i].thread, NULL);
        n_freed += workers[i].n_freed;
        check_pool(&workers[i].pool);
        chunk_pool_deinit(&workers[i].pool);
    }
    assert_int_equal(n_freed, atomic_load(&n_passed));
    chunk_depot_deinit(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_one_way),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
