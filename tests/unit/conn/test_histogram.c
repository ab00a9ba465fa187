/* SPDX-License-Identifier: Apache-2.0 */
/* Each value is in the bucket whose limit is the least power of two that is not below it. */
#include "conn/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_buckets(void **state)
{
    (void)state;
    assert_int_equal(histogram_bucket(0), 0);
    assert_int_equal(histogram_bucket(1), 0);
    for (unsigned i = 1; i < HISTOGRAM_BUCKETS - 1; i++) {
        uint64_t limit = UINT64_C(1) << i;

        assert_int_equal(histogram_bucket(limit), i);
        assert_int_equal(histogram_bucket(limit + 1), i + 1);
    }
    assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static void test_sum(void **state)
{
    struct histogram a = {0};
    struct histogram b = {0};
    struct histogram_sum sum = {0};

    (void)state;
    histogram_add(&a, 3);
    histogram_add(&a, 4);
    histogram_add(&b, 4);
    histogram_add(&b, 1000);
    histogram_sum(&a, &sum);
    histogram_sum(&b, &sum);
    assert_int_equal(sum.n[2], 3);
    assert_int_equal(sum.n[10], 1);
    assert_int_equal(sum.sum, 1011);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buckets),
        cmocka_unit_test(test_sum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
