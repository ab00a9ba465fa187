/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of values: the forms that nats-server takes, and what it refuses. */
#include "conf/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#define SEC CLOCK_SEC_NS

static void test_bool(void **state)
{
    static const struct {
        const char *text;
        enum status st;
        bool value;
    } rows[] = {
        {"true", ST_OK, true},   {"Yes", ST_OK, true},  {"ON", ST_OK, true},
        {"false", ST_OK, false}, {"no", ST_OK, false},  {"oFf", ST_OK, false},
        {"1", ST_BAD_VALUE, 0},  {"", ST_BAD_VALUE, 0}, {"truee", ST_BAD_VALUE, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        bool v = !rows[i].value;

        assert_int_equal(value_parse_bool(str_of(rows[i].text), &v), rows[i].st);
        assert_int_equal(v, rows[i].st == ST_OK ? rows[i].value : !rows[i].value);
    }
}

struct int_row {
    const char *text;
    enum status st;
    int64_t value;
};

static void check_ints(const struct int_row *rows, size_t n,
                       enum status (*parse)(struct str, int64_t *))
{
    for (size_t i = 0; i < n; i++) {
        int64_t v = 77;
        enum status st = parse(str_of(rows[i].text), &v);

        if (st != rows[i].st || v != (st == ST_OK ? rows[i].value : 77)) {
            fail_msg("\"%s\": status %d, value %lld", rows[i].text, (int)st, (long long)v);
        }
    }
}

static void test_int(void **state)
{
    static const struct int_row rows[] = {
        {"0", ST_OK, 0},
        {"-0", ST_OK, 0},
        {"-007", ST_OK, -7},
        {"9223372036854775807", ST_OK, INT64_MAX},
        {"-9223372036854775808", ST_OK, INT64_MIN},
        {"9223372036854775808", ST_OUT_OF_RANGE, 0},
        {"-9223372036854775809", ST_OUT_OF_RANGE, 0},
        {"99999999999999999999999", ST_OUT_OF_RANGE, 0},
        {"64k", ST_OK, 64000},
        {"64K", ST_OK, 64000},
        {"1kb", ST_OK, 1024},
        {"1Ki", ST_OK, 1024},
        {"1KiB", ST_OK, 1024},
        {"1MB", ST_OK, 1 << 20},
        {"1m", ST_OK, 1000000},
        {"3g", ST_OK, INT64_C(3000000000)},
        {"2tb", ST_OK, INT64_C(2) << 40},
        {"1p", ST_OK, INT64_C(1000000000000000)},
        {"1e", ST_OK, INT64_C(1000000000000000000)},
        {"-1k", ST_OK, -1000},
        {"8eb", ST_OUT_OF_RANGE, 0},
        {"1kbb", ST_BAD_VALUE, 0},
        {"1b", ST_BAD_VALUE, 0},
        {"k", ST_BAD_VALUE, 0},
        {"", ST_BAD_VALUE, 0},
        {"-", ST_BAD_VALUE, 0},
        {"+1", ST_BAD_VALUE, 0},
        {"0x10", ST_BAD_VALUE, 0},
        {"1_000", ST_BAD_VALUE, 0},
        {"1.5", ST_BAD_VALUE, 0},
        {" 1", ST_BAD_VALUE, 0},
        {"1 ", ST_BAD_VALUE, 0},
    };

    (void)state;
    check_ints(rows, ARRAY_SIZE(rows), value_parse_int);
}

static void test_seconds(void **state)
{
    static const struct int_row rows[] = {
        {"2", ST_OK, 2 * SEC},
        {"0.5", ST_OK, SEC / 2},
        {".25", ST_OK, SEC / 4},
        {"-1.5", ST_OK, -SEC * 3 / 2},
        {"0.0000000019", ST_OK, 1},
        {"9223372036", ST_OK, INT64_C(9223372036) * SEC},
        {"9223372037", ST_OUT_OF_RANGE, 0},
        {"99999999999999999999", ST_OUT_OF_RANGE, 0},
        {"", ST_BAD_VALUE, 0},
        {".", ST_BAD_VALUE, 0},
        {"1s", ST_BAD_VALUE, 0},
        {"1e3", ST_BAD_VALUE, 0},
        {"1.2.3", ST_BAD_VALUE, 0},
    };

    (void)state;
    check_ints(rows, ARRAY_SIZE(rows), value_parse_seconds);
}

static void test_flag_int(void **state)
{
    static const struct int_row rows[] = {
        {"4222", ST_OK, 4222},
        {"-1", ST_OK, -1},
        {"+5", ST_OK, 5},
        {"0", ST_OK, 0},
        {"0x1F", ST_OK, 31},
        {"0X_1f", ST_OK, 31},
        {"0o17", ST_OK, 15},
        {"017", ST_OK, 15},
        {"0_17", ST_OK, 15},
        {"0b101", ST_OK, 5},
        {"1_000", ST_OK, 1000},
        {"-0x8000000000000000", ST_OK, INT64_MIN},
        {"0x8000000000000000", ST_OUT_OF_RANGE, 0},
        {"99999999999999999999", ST_OUT_OF_RANGE, 0},
        {"", ST_BAD_VALUE, 0},
        {"-", ST_BAD_VALUE, 0},
        {"08", ST_BAD_VALUE, 0},
        {"0x", ST_BAD_VALUE, 0},
        {"0b2", ST_BAD_VALUE, 0},
        {"_1", ST_BAD_VALUE, 0},
        {"1_", ST_BAD_VALUE, 0},
        {"1__0", ST_BAD_VALUE, 0},
        {"1e3", ST_BAD_VALUE, 0},
        {"abc", ST_BAD_VALUE, 0},
        {"1 ", ST_BAD_VALUE, 0},
    };
    bool b = false;

    (void)state;
    check_ints(rows, ARRAY_SIZE(rows), value_parse_flag_int);
    assert_int_equal(value_parse_flag_bool(STR("T"), &b), ST_OK);
    assert_true(b);
    assert_int_equal(value_parse_flag_bool(STR("False"), &b), ST_OK);
    assert_false(b);
    assert_int_equal(value_parse_flag_bool(STR("yes"), &b), ST_BAD_VALUE);
    assert_int_equal(value_parse_flag_bool(STR(""), &b), ST_BAD_VALUE);
}

static void test_duration(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } rows[] = {
        {"0", 0},
        {"0s", 0},
        {"2m", 120 * SEC},
        {"1h30m", 5400 * SEC},
        {"1m30s", 90 * SEC},
        {"1.5s", SEC * 3 / 2},
        {".5s", SEC / 2},
        {"250ms", SEC / 4},
        {"-1s", -SEC},
        {"+1s", SEC},
        {"10us", 10000},
        {"10\xc2\xb5s", 10000},
        {"10\xce\xbcs", 10000},
        {"7ns", 7},
        {"1.s", SEC},
        {"0.000000001s", 1},
        {"9223372036854775807ns", INT64_MAX},
    };
    static const struct {
        const char *text;
        const char *why;
    } bad[] = {
        {"", "invalid duration \"\""},
        {"-", "invalid duration \"-\""},
        {"x", "invalid duration \"x\""},
        {"s", "invalid duration \"s\""},
        {".s", "invalid duration \".s\""},
        {"10", "missing unit in duration \"10\""},
        {"1m30", "missing unit in duration \"1m30\""},
        {"10d", "unknown unit \"d\" in duration \"10d\""},
        {"1 s", "unknown unit \" s\" in duration \"1 s\""},
        {"1sx", "unknown unit \"sx\" in duration \"1sx\""},
        {"9223372036854775808ns", "invalid duration \"9223372036854775808ns\""},
        {"99999999999999999999h", "invalid duration \"99999999999999999999h\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf why = {0};
        int64_t ns = -1;

        if (value_parse_duration(str_of(rows[i].text), &ns, &why) != ST_OK || ns != rows[i].ns) {
            fail_msg("\"%s\": %lld", rows[i].text, (long long)ns);
        }
        assert_int_equal(why.n, 0);
        buf_deinit(&why);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct buf why = {0};
        int64_t ns = -1;

        assert_int_equal(value_parse_duration(str_of(bad[i].text), &ns, &why), ST_BAD_VALUE);
        buf_add_char(&why, '\0');
        assert_string_equal(why.p, bad[i].why);
        assert_int_equal(ns, -1);
        buf_deinit(&why);
    }
}

static void test_address(void **state)
{
    static const struct {
        const char *text;
        enum status st;
        const char *host;
        int64_t port;
    } rows[] = {
        {"127.0.0.1:4222", ST_OK, "127.0.0.1", 4222},
        {":4222", ST_OK, "", 4222},
        {"[::1]:-1", ST_OK, "::1", -1},
        {"::1:4222", ST_BAD_VALUE, NULL, 0},
        {"localhost", ST_BAD_VALUE, NULL, 0},
        {"", ST_BAD_VALUE, NULL, 0},
        {"host:x", ST_OUT_OF_RANGE, NULL, 0},
        {"host:", ST_OUT_OF_RANGE, NULL, 0},
        {"host:4k", ST_OUT_OF_RANGE, NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct str host = {0};
        struct str port_text = {0};
        int64_t port = 0;

        assert_int_equal(value_parse_address(str_of(rows[i].text), &host, &port, &port_text),
                         rows[i].st);
        if (rows[i].st == ST_OK) {
            assert_true(str_equal(host, str_of(rows[i].host)));
            assert_int_equal(port, rows[i].port);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bool),     cmocka_unit_test(test_int),
        cmocka_unit_test(test_seconds),  cmocka_unit_test(test_flag_int),
        cmocka_unit_test(test_duration), cmocka_unit_test(test_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
