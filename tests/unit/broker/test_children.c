/* SPDX-License-Identifier: Apache-2.0 */
/* broker/children.h: one set, many sets, and back. */
#include "broker/children.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define N_CHILDREN 20000u

/** A child that says what its hash is. */
struct child {
    uint64_t hash;
    uint32_t n_seen;
};

static uint64_t child_hash(const void *element, const void *arg)
{
    (void)arg;
    return ((const struct child *)element)->hash;
}

static bool is_it(const void *element, const void *key)
{
    return element == key;
}

static bool has(const struct children *c, const struct child *child)
{
    return ptrset_find(children_look(c, child->hash), child->hash, is_it, child) == child;
}

/* All of children[from .. end-1] are there, once, and no other. */
static void check(const struct children *c, struct child *children, uint32_t from, uint32_t end)
{
    struct children_at at = {0};
    uint32_t n = 0;

    for (struct child *child; (child = children_next(c, &at)) != NULL; n++) {
        child->n_seen++;
    }
    assert_int_equal(n, end - from);
    assert_int_equal(children_count(c), end - from);
    for (uint32_t i = 0; i < N_CHILDREN; i++) {
        bool is_in = i >= from && i < end;

        assert_int_equal(children[i].n_seen, is_in);
        assert_int_equal(has(c, &children[i]), is_in);
        children[i].n_seen = 0;
    }
}

static void run(uint64_t step)
{
    static struct child children[N_CHILDREN];
    struct children c = {0};

    for (uint32_t i = 0; i < N_CHILDREN; i++) {
        children[i].hash = i * step;
        children_add(&c, children[i].hash, &children[i], child_hash, NULL);
        assert_int_equal(c.many != NULL, i >= CHILDREN_FEW);
        if (i % 1500 == 0 || i == CHILDREN_FEW || i + 1 == CHILDREN_FEW) {
            check(&c, children, 0, i + 1);
        }
    }
    for (uint32_t i = 0; i < N_CHILDREN; i++) {
        children_remove(&c, children[i].hash, &children[i], child_hash, NULL);
        assert_int_equal(c.many != NULL, N_CHILDREN - 1 - i >= CHILDREN_FEW / 4);
        if (i % 1500 == 0 || i + CHILDREN_FEW / 4 == N_CHILDREN) {
            check(&c, children, i + 1, N_CHILDREN);
        }
    }
    assert_null(c.few.slots);
    children_add(&c, 1, &children[0], child_hash, NULL);
    children_deinit(&c);
    assert_int_equal(children_count(&c), 0);
}

static void test_many_and_back(void **state)
{
    (void)state;
    run(UINT64_C(0x9e3779b97f4a7c15)); // spread
    run(1);                            // all in few of the sets
}

static void test_deinit_of_many(void **state)
{
    static struct child children[CHILDREN_FEW + 1];
    struct children c = {0};

    (void)state;
    for (uint32_t i = 0; i < CHILDREN_FEW + 1; i++) {
        children[i].hash = UINT64_C(40503) * i << 8;
        children_add(&c, children[i].hash, &children[i], child_hash, NULL);
    }
    assert_non_null(c.many);
    children_deinit(&c);
    assert_null(c.many);
    assert_int_equal(children_count(&c), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_and_back),
        cmocka_unit_test(test_deinit_of_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
