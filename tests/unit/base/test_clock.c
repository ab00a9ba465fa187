/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of durations, as Go prints them, and the two clocks. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/attr.h"

static void test_format_duration(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {1, "1ns"},
        {1100, "1.1µs"},
        {2200000, "2.2ms"},
        {CLOCK_MS_NS * 250, "250ms"},
        {CLOCK_SEC_NS - 1, "999.999999ms"},
        {CLOCK_SEC_NS, "1s"},
        {CLOCK_SEC_NS * 3 / 2, "1.5s"},
        {CLOCK_SEC_NS * 60, "1m0s"},
        {CLOCK_SEC_NS * 120, "2m0s"},
        {CLOCK_SEC_NS * 3600, "1h0m0s"},
        {CLOCK_SEC_NS * 3600 + 1, "1h0m0.000000001s"},
        {-CLOCK_SEC_NS * 40, "-40s"},
        {-1, "-1ns"},
        {INT64_MAX, "2562047h47m16.854775807s"},
        {INT64_MIN, "-2562047h47m16.854775808s"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[CLOCK_DURATION_MAX];

        clock_format_duration(rows[i].ns, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void test_clocks(void **state)
{
    int64_t before = clock_now_ns();
    int64_t wall = clock_wall_ns();

    (void)state;
    assert_true(clock_now_ns() >= before);
    assert_true(wall / CLOCK_SEC_NS >= time(NULL) - 1 && wall / CLOCK_SEC_NS <= time(NULL) + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format_duration),
        cmocka_unit_test(test_clocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
