/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of durations and points in time, as Go prints them, and the two clocks. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
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

static void test_format_rfc3339(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1, "1970-01-01T00:00:00.000000001Z"},
        {-1, "1969-12-31T23:59:59.999999999Z"},
        {-CLOCK_SEC_NS, "1969-12-31T23:59:59Z"},
        {CLOCK_SEC_NS / 2, "1970-01-01T00:00:00.5Z"},
        {INT64_C(951782400) * CLOCK_SEC_NS, "2000-02-29T00:00:00Z"},
        {INT64_C(1795289192892974139), "2026-11-21T19:26:32.892974139Z"},
        {INT64_C(1795289192892974130), "2026-11-21T19:26:32.89297413Z"},
        {INT64_C(1795289192000000100), "2026-11-21T19:26:32.0000001Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145224192Z"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[CLOCK_RFC3339_MAX];

        assert_int_equal(clock_format_rfc3339(rows[i].ns, text), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
    }
}

static void test_format_uptime(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {
        {-5, "0s"},
        {0, "0s"},
        {22, "22s"},
        {60, "1m0s"},
        {4 * 60 + 22, "4m22s"},
        {4 * 3600 + 4 * 60 + 22, "4h4m22s"},
        {86400, "1d0h0m0s"},
        {32 * 86400 + 4 * 3600 + 4 * 60 + 22, "32d4h4m22s"},
        {INT64_C(22) * 365 * 86400 + 32 * 86400 + 4 * 3600 + 4 * 60 + 22, "22y32d4h4m22s"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[CLOCK_UPTIME_MAX];
        int64_t ns = rows[i].seconds * CLOCK_SEC_NS;

        assert_int_equal(clock_format_uptime(ns, text), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
        clock_format_uptime(ns + CLOCK_SEC_NS - 1, text); // whole seconds only
        assert_string_equal(text, rows[i].seconds < 0 ? "0s" : rows[i].text);
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
        cmocka_unit_test(test_format_rfc3339),
        cmocka_unit_test(test_format_uptime),
        cmocka_unit_test(test_clocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
