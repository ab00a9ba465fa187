/* SPDX-License-Identifier: Apache-2.0 */
/* conn/handle.h: a handle names its connection as long as that is there, and nothing afterwards. */
#include "conn/handle.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conn/conn.h"

#define N_CONNS 5000u
#define WORKER 7u

static uint32_t random_below(uint64_t *state, uint32_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((*state >> 32) * n >> 32);
}

/* Only their addresses are used. */
static struct conn *conn_number(uint32_t i)
{
    static struct conn conns[N_CONNS];

    return &conns[i];
}

/* Slot numbers are dense, and every one has a place of its own in one segment. */
static void test_segments(void **state)
{
    uint32_t start = 0;

    (void)state;
    for (unsigned segment = 0; segment < HANDLE_SEGMENTS; segment++) {
        uint32_t size = HANDLE_FIRST_SLOTS << segment;

        assert_int_equal(handle_segment(start), segment);
        assert_int_equal(handle_segment(start + size - 1), segment);
        start += size;
    }
    assert_int_equal(handle_segment(start), HANDLE_SEGMENTS);
    assert_true(start <= 1u << 24); // the bits that a handle has for it
}

static void test_parts(void **state)
{
    struct handle_table t = {0};

    (void)state;
    handle_table_init(&t, WORKER);
    uint64_t h = handle_add(&t, conn_number(0));
    assert_true(h != HANDLE_NONE);
    assert_int_equal(handle_worker(h), WORKER);
    assert_int_equal(handle_slot_number(h), 0);
    assert_ptr_equal(handle_find(&t, h), conn_number(0));
    handle_remove(&t, h);
    assert_null(handle_find(&t, h));
    uint64_t next = handle_add(&t, conn_number(1));
    assert_int_equal(handle_slot_number(next), 0); // the same slot …
    assert_true(next != h);                        // … under another name
    assert_null(handle_find(&t, h));
    assert_ptr_equal(handle_find(&t, next), conn_number(1));
    handle_remove(&t, next);
    handle_table_deinit(&t);
}

/* A full generation counter goes on from zero, and only that changes. */
static void test_generation_wraps(void **state)
{
    struct handle_table t = {0};

    (void)state;
    handle_table_init(&t, WORKER);
    handle_remove(&t, handle_add(&t, conn_number(0)));
    struct handle_slot *s = handle_slot(&t, (uint64_t)WORKER << 56);
    atomic_store(&s->generation, UINT32_MAX - 1);
    uint64_t h = handle_add(&t, conn_number(0));
    assert_int_equal(handle_worker(h), WORKER);
    assert_int_equal(handle_slot_number(h), 0);
    assert_int_equal(handle_generation(h), UINT32_MAX);
    assert_ptr_equal(handle_find(&t, h), conn_number(0));
    handle_remove(&t, h);
    assert_null(handle_find(&t, h));
    uint64_t next = handle_add(&t, conn_number(1));
    assert_int_equal(handle_generation(next), 1);
    assert_ptr_equal(handle_find(&t, next), conn_number(1));
    handle_remove(&t, next);
    handle_table_deinit(&t);
}

/* Random adding and removing against an array; old handles never come back to life. */
static void test_random(void **state)
{
    static uint64_t handle_of[N_CONNS]; // HANDLE_NONE: not in
    static uint64_t old[N_CONNS];
    struct handle_table t = {0};
    uint64_t random = 1;
    uint32_t n_used = 0;

    (void)state;
    handle_table_init(&t, WORKER);
    for (uint32_t i = 0; i < 200000; i++) {
        uint32_t k = random_below(&random, i / 50000 % 2 ? 100 : N_CONNS);

        if (handle_of[k] == HANDLE_NONE) {
            handle_of[k] = handle_add(&t, conn_number(k));
            assert_true(handle_of[k] != HANDLE_NONE);
            n_used++;
        } else {
            handle_remove(&t, handle_of[k]);
            old[k] = handle_of[k];
            handle_of[k] = HANDLE_NONE;
            n_used--;
        }
        assert_int_equal(t.n_used, n_used);
        k = random_below(&random, N_CONNS);
        if (handle_of[k]) {
            assert_ptr_equal(handle_find(&t, handle_of[k]), conn_number(k));
        }
        if (old[k]) {
            assert_null(handle_find(&t, old[k]));
        }
    }
    assert_true(t.n_slots <= N_CONNS);
    handle_table_deinit(&t);
}

static struct handle_table shared;
static _Atomic uint64_t published; // a handle that another thread may ask about
static _Atomic bool is_over;

/* What another worker does with a handle it got: asks whether it is live, and for the pressure. */
static void *ask(void *arg)
{
    uint32_t *n_live = arg;

    while (!atomic_load(&is_over)) {
        uint64_t h = atomic_load(&published);

        if (h) {
            struct handle_slot *s = handle_slot(&shared, h);

            *n_live += handle_is_live(s, h);
            assert_true(atomic_load(&s->pressure) <= PRESSURE_FULL);
        }
    }
    return NULL;
}

/* The table grows while others read it. */
static void test_others_read(void **state)
{
    static uint64_t handles[100000];
    pthread_t threads[2];
    uint32_t n_live[2] = {0};

    (void)state;
    handle_table_init(&shared, WORKER);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &n_live[i]), 0);
    }
    for (uint32_t i = 0; i < ARRAY_SIZE(handles); i++) {
        handles[i] = handle_add(&shared, conn_number(i % N_CONNS));
        atomic_store(&published, handles[i]);
        if (i % 3 == 0) {
            handle_remove(&shared, handles[i]);
        }
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    handle_table_deinit(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments),         cmocka_unit_test(test_parts),
        cmocka_unit_test(test_generation_wraps), cmocka_unit_test(test_random),
        cmocka_unit_test(test_others_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
