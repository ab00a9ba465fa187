/* SPDX-License-Identifier: Apache-2.0 */
/* broker/grants.h (A-22): how often, how long, how many; and two workers at once. */
#include "broker/grants.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "broker/perms.h"

#define MINUTE_NS (60 * CLOCK_SEC_NS)
#define N_SHARED 200000u

static struct grants *make(int64_t max, int64_t expires_ns)
{
    struct perms *p = perms_new();
    struct grants *g;

    perms_allow_responses(p, max, expires_ns);
    g = grants_new(p);
    perms_unref(p);
    return g;
}

static struct str name(char *text, size_t size, unsigned i)
{
    return (struct str){.p = text, .n = (size_t)snprintf(text, size, "_INBOX.reply.%u", i)};
}

static void test_defaults(void **state)
{
    struct grants *g = make(0, 0);
    int64_t now = MINUTE_NS;

    (void)state;
    assert_false(grants_take(g, STR("r"), now));
    grants_add(g, STR("r"), now);
    assert_false(grants_take(g, STR("r.x"), now));
    assert_false(grants_take(g, STR("R"), now));
    assert_true(grants_take(g, STR("r"), now + 2 * MINUTE_NS));
    assert_false(grants_take(g, STR("r"), now));
    grants_add(g, STR("r"), now);
    assert_false(grants_take(g, STR("r"), now + 2 * MINUTE_NS + 1));
    assert_int_equal(grants_count(g), 0);
    grants_free(g);
    grants_free(NULL);
}

static void test_limits(void **state)
{
    struct grants *g = make(3, CLOCK_SEC_NS);

    (void)state;
    grants_add(g, STR("r"), 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(grants_take(g, STR("r"), 0));
    }
    assert_false(grants_take(g, STR("r"), 0));
    grants_add(g, STR("r"), 0);
    assert_true(grants_take(g, STR("r"), 0));
    grants_add(g, STR("r"), CLOCK_SEC_NS); // renewed: three again, for a second
    for (unsigned i = 0; i < 3; i++) {
        assert_true(grants_take(g, STR("r"), 2 * CLOCK_SEC_NS));
    }
    assert_false(grants_take(g, STR("r"), 2 * CLOCK_SEC_NS));
    grants_add(g, STR("r"), 0);
    assert_true(grants_take(g, STR("r"), -1)); // the other worker's clock is a bit ahead
    grants_free(g);
}

static void test_unlimited(void **state)
{
    struct grants *g = make(-1, -1);

    (void)state;
    grants_add(g, STR("r"), 0);
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(grants_take(g, STR("r"), INT64_MAX));
    }
    grants_sweep(g, INT64_MAX);
    assert_int_equal(grants_count(g), 1);
    grants_free(g);
}

/* What is over goes as others come, so there are never many more than live ones. */
static void test_sweep(void **state)
{
    struct grants *g = make(1, 1000);
    char text[40];

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        grants_add(g, name(text, sizeof(text), i), i);
        assert_in_range(grants_count(g), 1, 1001);
    }
    assert_false(grants_take(g, name(text, sizeof(text), 98000), 99999));
    assert_true(grants_take(g, name(text, sizeof(text), 99000), 99999));
    grants_sweep(g, 99999 + 1000);
    assert_int_equal(grants_count(g), 1); // the last one
    grants_sweep(g, 99999 + 1001);
    assert_int_equal(grants_count(g), 0);
    grants_free(g);
}

/* The oldest make room; one that was renewed is not old. */
static void test_bound(void **state)
{
    struct grants *g = make(1, -1);
    char text[40];

    (void)state;
    for (unsigned i = 0; i < 500000; i++) {
        grants_add(g, name(text, sizeof(text), i), 0);
        grants_add(g, STR("kept"), 0);
    }
    assert_in_range(grants_count(g), 60000, 150000);
    assert_false(grants_take(g, name(text, sizeof(text), 0), 0));
    assert_false(grants_take(g, name(text, sizeof(text), 300000), 0));
    assert_true(grants_take(g, name(text, sizeof(text), 499999), 0));
    assert_true(grants_take(g, name(text, sizeof(text), 450000), 0));
    assert_true(grants_take(g, STR("kept"), 0));
    grants_free(g);
}

static void *add_all(void *arg)
{
    struct grants *g = arg;
    char text[40];

    for (unsigned i = 0; i < N_SHARED; i++) {
        grants_add(g, name(text, sizeof(text), i % 1000), 0);
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct grants *g = make(2, -1);
    pthread_t thread;
    char text[40];
    unsigned n = 0;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, add_all, g), 0);
    for (unsigned i = 0; i < N_SHARED; i++) {
        n += grants_take(g, name(text, sizeof(text), i % 1000), 0);
    }
    pthread_join(thread, NULL);
    assert_in_range(n, 0, N_SHARED);
    assert_in_range(grants_count(g), 0, 1000);
    grants_add(g, STR("r"), 0);
    assert_true(grants_take(g, STR("r"), 0));
    grants_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),  cmocka_unit_test(test_limits),
        cmocka_unit_test(test_unlimited), cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_bound),     cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
