/* SPDX-License-Identifier: Apache-2.0 */
/* io/timer.h against an array that is searched for the earliest. */
#include "io/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"

#define N_ITEMS 300u

struct item {
    struct timer timer;
    bool is_set;    // what the model says
    int64_t due_ns; // of the model
    uint32_t n_fired;
    int64_t again_ns;    // when it fires it sets itself once more, so much later; 0: not
    struct item *clears; // when it fires it clears this one
};

static struct timer_heap heap;
static struct item items[N_ITEMS];
static int64_t last_fired_ns;

static uint32_t random_below(uint64_t *state, uint32_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((*state >> 32) * n >> 32);
}

static void set(struct item *item, int64_t due_ns)
{
    timer_set(&heap, &item->timer, due_ns);
    item->is_set = true;
    item->due_ns = due_ns;
}

static void clear(struct item *item)
{
    timer_clear(&heap, &item->timer);
    item->is_set = false;
}

static void on_fire(struct timer *t)
{
    struct item *item = CONTAINER_OF(t, struct item, timer);

    assert_true(item->is_set);
    assert_false(timer_is_set(t));
    assert_true(t->due_ns >= last_fired_ns);
    last_fired_ns = t->due_ns;
    item->is_set = false;
    item->n_fired++;
    if (item->again_ns) {
        set(item, item->due_ns + item->again_ns);
        item->again_ns = 0;
    }
    if (item->clears) {
        clear(item->clears);
        item->clears = NULL;
    }
}

static int start(void **state)
{
    (void)state;
    heap = (struct timer_heap){0};
    last_fired_ns = INT64_MIN;
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        items[i] = (struct item){.timer.fire = on_fire};
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    timer_heap_deinit(&heap);
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        assert_false(timer_is_set(&items[i].timer));
    }
    return 0;
}

static int64_t earliest(void)
{
    int64_t first = INT64_MAX;

    for (uint32_t i = 0; i < N_ITEMS; i++) {
        if (items[i].is_set && items[i].due_ns < first) {
            first = items[i].due_ns;
        }
    }
    return first;
}

/* The places are consistent, and no timer is due before the one above it. */
static void check_heap(void)
{
    uint32_t n = 0;

    for (uint32_t i = 1; i <= heap.n; i++) {
        assert_int_equal(heap.at[i]->place, i);
        assert_true(i == 1 || heap.at[i / 2]->due_ns <= heap.at[i]->due_ns);
    }
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        assert_int_equal(timer_is_set(&items[i].timer), items[i].is_set);
        n += items[i].is_set;
    }
    assert_int_equal(heap.n, n);
    assert_true(timer_next_due(&heap) == earliest());
}

static void test_empty(void **state)
{
    (void)state;
    assert_true(timer_next_due(&heap) == INT64_MAX);
    timer_run_due(&heap, INT64_MAX);
    timer_clear(&heap, &items[0].timer);
    check_heap();
}

static void test_due_is_due(void **state)
{
    (void)state;
    set(&items[0], 100);
    timer_run_due(&heap, 99);
    assert_int_equal(items[0].n_fired, 0);
    timer_run_due(&heap, 100);
    assert_int_equal(items[0].n_fired, 1);
    timer_run_due(&heap, INT64_MAX);
    assert_int_equal(items[0].n_fired, 1);
}

static void test_move(void **state)
{
    (void)state;
    set(&items[0], 100);
    set(&items[1], 200);
    set(&items[0], 300); // later
    assert_true(timer_next_due(&heap) == 200);
    set(&items[0], 50); // earlier
    assert_true(timer_next_due(&heap) == 50);
    check_heap();
    timer_run_due(&heap, 1000);
    assert_int_equal(items[0].n_fired, 1);
    assert_int_equal(items[1].n_fired, 1);
}

/* What a callback sets for a time that has come fires in the same run; what it clears does not. */
static void test_callbacks_change_the_heap(void **state)
{
    (void)state;
    items[0].again_ns = 10;
    items[1].clears = &items[2];
    items[3].clears = &items[3];
    for (uint32_t i = 0; i < 4; i++) {
        set(&items[i], 100 + i);
    }
    timer_run_due(&heap, 200);
    assert_int_equal(items[0].n_fired, 2);
    assert_int_equal(items[1].n_fired, 1);
    assert_int_equal(items[2].n_fired, 0);
    assert_int_equal(items[3].n_fired, 1);
    check_heap();
}

static void step(uint64_t *random, int64_t *now_ns, uint32_t spread)
{
    struct item *item = &items[random_below(random, N_ITEMS)];

    switch (random_below(random, 8)) {
    case 0:
        clear(item);
        break;
    case 1:
        item->again_ns = 1 + random_below(random, spread);
        break;
    case 2:
        item->clears = &items[random_below(random, N_ITEMS)];
        break;
    case 3: {
        *now_ns += random_below(random, spread / 4 + 1);
        last_fired_ns = INT64_MIN;
        timer_run_due(&heap, *now_ns);
        assert_true(earliest() > *now_ns);
        break;
    }
    default:
        set(item, *now_ns + random_below(random, spread));
    }
}

static void test_random(void **state)
{
    static const uint32_t spreads[] = {1, 8, 1000, 1000000};
    uint64_t random = 1;
    int64_t now_ns = 0;

    (void)state;
    for (uint32_t i = 0; i < 40000; i++) {
        step(&random, &now_ns, spreads[i / 1000 % ARRAY_SIZE(spreads)]);
        if (i % 50 == 0) {
            check_heap();
        }
    }
    assert_true(timer_next_due(&heap) == earliest());
}

/* All of many timers with the same time fire, once. */
static void test_same_time(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        set(&items[i], 7);
    }
    check_heap();
    timer_run_due(&heap, 7);
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        assert_int_equal(items[i].n_fired, 1);
    }
    check_heap();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_empty, start, end),
        cmocka_unit_test_setup_teardown(test_due_is_due, start, end),
        cmocka_unit_test_setup_teardown(test_move, start, end),
        cmocka_unit_test_setup_teardown(test_callbacks_change_the_heap, start, end),
        cmocka_unit_test_setup_teardown(test_random, start, end),
        cmocka_unit_test_setup_teardown(test_same_time, start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
