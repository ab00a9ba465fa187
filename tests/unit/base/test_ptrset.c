/* SPDX-License-Identifier: Apache-2.0 */
/* base/ptrset.h against a table of flags, with hashes from perfect to hopeless. */
#include "base/ptrset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"

#define N_ITEMS 1000u

struct item {
    uint32_t id;
    uint32_t hash;
    bool is_in;
};

static uint64_t item_hash(const void *element, const void *arg)
{
    const struct item *item = element;

    (void)arg;
    return item->hash;
}

static bool item_has_id(const void *element, const void *key)
{
    const struct item *item = element;
    const uint32_t *id = key;

    return item->id == *id;
}

static struct item *find(const struct ptrset *set, uint32_t hash, uint32_t id)
{
    return ptrset_find(set, hash, item_has_id, &id);
}

static void add(struct ptrset *set, struct item *item)
{
    ptrset_add(set, item->hash, item, item_hash, NULL);
    item->is_in = true;
}

static bool drop(struct ptrset *set, struct item *item)
{
    item->is_in = false;
    return ptrset_remove(set, item->hash, item, item_hash, NULL);
}

static uint32_t random_below(uint64_t *state, uint32_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((*state >> 32) * n >> 32);
}

/* Every item is found if and only if it is in, and a walk meets each once. */
static void check_all(const struct ptrset *set, struct item *items, uint32_t n)
{
    uint32_t n_in = 0;
    uint32_t n_met = 0;
    uint32_t at = 0;

    for (uint32_t i = 0; i < n; i++) {
        struct item *found = find(set, items[i].hash, items[i].id);

        assert_ptr_equal(found, items[i].is_in ? &items[i] : NULL);
        n_in += items[i].is_in;
    }
    for (struct item *item; (item = ptrset_next(set, &at)) != NULL; n_met++) {
        assert_true(item->is_in);
    }
    assert_int_equal(set->n, n_in);
    assert_int_equal(n_met, n_in);
    assert_true(set->n <= set->cap - set->cap / 4);
}

static void test_empty(void **state)
{
    struct ptrset set = {0};
    struct item item = {.id = 1, .hash = 7};
    uint32_t at = 0;

    (void)state;
    assert_null(find(&set, 7, 1));
    assert_null(ptrset_next(&set, &at));
    assert_false(ptrset_remove(&set, 7, &item, item_hash, NULL));
    assert_false(ptrset_replace(&set, 7, &item, &item));
    ptrset_prefetch(&set, 7);
    ptrset_deinit(&set);
}

static void test_last_one_releases(void **state)
{
    struct ptrset set = {0};
    struct item item = {.id = 1, .hash = 7};

    (void)state;
    add(&set, &item);
    assert_ptr_equal(find(&set, 7, 1), &item);
    assert_null(find(&set, 8, 1));
    assert_null(find(&set, 7, 2));
    assert_int_equal(set.cap, PTRSET_MIN_CAP);
    assert_true(drop(&set, &item));
    assert_false(drop(&set, &item));
    assert_null(set.slots);
    assert_int_equal(set.cap, 0);
}

static void test_replace(void **state)
{
    struct ptrset set = {0};
    struct item a = {.id = 1, .hash = 7};
    struct item b = {.id = 2, .hash = 7};

    (void)state;
    add(&set, &a);
    assert_false(ptrset_replace(&set, 7, &b, &a));
    assert_true(ptrset_replace(&set, 7, &a, &b));
    assert_null(find(&set, 7, 1));
    assert_ptr_equal(find(&set, 7, 2), &b);
    assert_int_equal(set.n, 1);
    ptrset_deinit(&set);
}

/* The low bits of the pointers are the caller's. */
static void test_tagged_pointers(void **state)
{
    static struct item items[2];
    struct ptrset set = {0};
    void *tagged = (char *)&items[0] + 1;

    (void)state;
    ptrset_add(&set, 1, &items[0], ptrset_hash_pointer, NULL);
    ptrset_add(&set, 1, tagged, ptrset_hash_pointer, NULL);
    assert_true(ptrset_remove(&set, 1, tagged, ptrset_hash_pointer, NULL));
    assert_false(ptrset_remove(&set, 1, tagged, ptrset_hash_pointer, NULL));
    assert_true(ptrset_remove(&set, 1, &items[0], ptrset_hash_pointer, NULL));
}

/* Random operations on items whose hashes have so many distinct values. */
static void run_random(uint32_t n_hashes, uint32_t shift, uint64_t seed)
{
    static struct item items[N_ITEMS];
    struct ptrset set = {0};
    uint64_t random = seed;

    for (uint32_t i = 0; i < N_ITEMS; i++) {
        // up to the highest hash, so that runs of slots go over the end of the table
        items[i] =
            (struct item){.id = i, .hash = UINT32_MAX - (random_below(&random, n_hashes) << shift)};
    }
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t bias = i / 2000 % 2 ? 7 : 3; // fill up and empty in turn
        struct item *item = &items[random_below(&random, N_ITEMS)];

        if (random_below(&random, 10) < bias) {
            if (!item->is_in) {
                add(&set, item);
            }
        } else {
            bool was_in = item->is_in;

            assert_int_equal(drop(&set, item), was_in);
        }
        if (i % 500 == 0) {
            check_all(&set, items, N_ITEMS);
        }
    }
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        if (items[i].is_in) {
            assert_true(drop(&set, &items[i]));
        }
        if (i % 100 == 0) {
            check_all(&set, items, N_ITEMS);
        }
    }
    assert_null(set.slots);
}

static void test_random(void **state)
{
    (void)state;
    run_random(UINT32_MAX, 0, 1);
    run_random(1000, 0, 2);
    run_random(64, 0, 3);
    run_random(7, 0, 4);
    run_random(1, 0, 5);
    run_random(16, 16, 6); // hashes differ only above the bits that slots hold
    run_random(16, 12, 7);
}

/* Tables beyond 65,536 slots ask the elements for their hashes. */
static void test_large(void **state)
{
    const uint32_t n = 300000;
    struct item *items = mem_zalloc(n * sizeof(*items));
    struct ptrset set = {0};

    (void)state;
    for (uint32_t i = 0; i < n; i++) {
        items[i].id = i;
        items[i].hash = (uint32_t)hash_bytes((const char *)&i, sizeof(i));
        add(&set, &items[i]);
    }
    assert_int_equal(set.cap, 524288);
    check_all(&set, items, n);
    for (uint32_t i = 0; i < n; i++) {
        if (i % 64) {
            assert_true(drop(&set, &items[i]));
        }
    }
    check_all(&set, items, n);
    assert_true(set.cap <= 65536);
    for (uint32_t i = 0; i < n; i += 64) {
        assert_true(drop(&set, &items[i]));
    }
    assert_null(set.slots);
    mem_free(items);
}

/* Sets of pointers need no element to look into. */
static void test_pointers_as_keys(void **state)
{
    const uint32_t n = 200000;
    char *bytes = mem_zalloc((size_t)n * 96);
    struct ptrset set = {0};

    (void)state;
    for (uint32_t i = 0; i < n; i++) {
        char *p = bytes + (size_t)i * 96;

        ptrset_add(&set, ptrset_hash_pointer(p, NULL), p, ptrset_hash_pointer, NULL);
    }
    for (uint32_t i = n; i-- > 0;) {
        char *p = bytes + (size_t)i * 96;

        assert_true(
            ptrset_remove(&set, ptrset_hash_pointer(p, NULL), p, ptrset_hash_pointer, NULL));
    }
    assert_null(set.slots);
    mem_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_last_one_releases),
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_tagged_pointers),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_pointers_as_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
