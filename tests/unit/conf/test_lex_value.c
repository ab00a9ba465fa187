/* SPDX-License-Identifier: Apache-2.0 */
/* Strings, words, numbers and dates (spec 03 A4 to A8). What is wanted was seen on nats-server
 * 2.15.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "conf_rows.h"

#define TOP_END                                                                                    \
    "!Parse error on line 1: 'Expected a top-level value to end with a new line, "                 \
    "comment or EOF, but got "
#define ARRAY_END                                                                                  \
    "!Parse error on line 1: 'Expected an array value terminator \",\" or an array "               \
    "terminator \"]\", but got "
#define BAD_ESCAPE                                                                                 \
    "'. Only the following escape characters are allowed: "                                        \
    "\\xXX, \\t, \\n, \\r, \\\", \\\\.'"

static void test_words(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a: true, b: YES, c: on, d: False, e: no, f: oFF",
                 "{a: true, b: true, c: true, d: false, e: false, f: false}"),
        CONF_ROW("a: \"true\", b: 'on', c: tru\\x65, d: true'",
                 "{a: \"true\", b: \"on\", c: \"true\", d: \"true\"}"),
        CONF_ROW("a: foo', b: 'x'", "{a: \"foo\", b: \"x\"}"),
        CONF_ROW("a: o'hare", TOP_END "'h' instead.'"),
        CONF_ROW("a: x/y\"z{[(:=#", "{a: \"x/y\"z{[(:=#\"}"),
        CONF_ROW("a [x,y,]", "{a: [\"x\", \"y\"]}"),
        CONF_ROW("a: ;b: }", "{a: \"\", b: \"\"}"),
        CONF_ROW("a: null", "{a: \"null\"}"),
        CONF_ROW("a: x\xff", "{a: \"x\xff\"}"),
        CONF_ROW("a: .5", "!Parse error on line 1: 'Floats must start with a digit'"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_quotes_and_escapes(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a: \"x\\t\\n\\r\\\"\\\\\\x41\\xfF\"", "{a: \"x\t\n\r\"\\A\xff\"}"),
        CONF_ROW("a: x\\ty", "{a: \"x\ty\"}"),
        CONF_ROW("a: 'x\\ty'", "{a: \"x\\ty\"}"),
        CONF_ROW("a: \"x\ny\", b: 'x\ny'", "{a: \"x\ny\", b: \"x\ny\"}"),
        CONF_ROW("a: \"\\x00\"", "{a: \"\0\"}"),
        CONF_ROW("a: \\q", "!Parse error on line 1: 'Invalid escape character 'q" BAD_ESCAPE),
        CONF_ROW("a: \"\\\n", "!Parse error on line 2: 'Invalid escape character '\\n" BAD_ESCAPE),
        CONF_ROW("a: \\xZZ",
                 "!Parse error on line 1: 'Expected two hexadecimal digits after '\\x', but got "
                 "'ZZ''"),
        CONF_ROW("a: \"\\x4\n\"",
                 "!Parse error on line 2: 'Expected two hexadecimal digits after '\\x', but hit "
                 "end of line'"),
        CONF_ROW("a: \"x", "!Parse error on line 1: 'Unexpected EOF.'"),
        CONF_ROW("a: \"", "!config is invalid (t.conf:1:4)"),
        CONF_ROW("a: ['", "{}"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_block_strings_c15(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a: (\nx y\n)\nb: 1", "{a: \"\nx y\n\", b: 1}"),
        CONF_ROW("a: (x\\t\n )\n)y\n)\n", "{a: \"x\\t\n )\n)y\n\"}"),
        CONF_ROW("a: (\nx\n)", "{a: \"\nx\n)\"}"),
        CONF_ROW("a: (\n)\r\n", "!Parse error on line 3: 'Unexpected EOF processing block.'"),
        CONF_ROW("a: (\n) \n", "!Parse error on line 3: 'Unexpected EOF processing block.'"),
        CONF_ROW("a: ()\n", "!Parse error on line 2: 'Unexpected EOF processing block.'"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_integers_in_arrays_c10(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a [1, 2]", ARRAY_END "'\0' instead.'"),
        CONF_ROW("a [1, 2 ]", "{a: [1, 2]}"),
        CONF_ROW("a [1]\n]", "{a: [\"1]\"]}"),
        CONF_ROW("a [1k]", "{a: [\"1k\"]}"),
        CONF_ROW("a [-1]", "{a: [-1]}"),
        CONF_ROW("a [1.5]", "{a: [1.500000000]}"),
        CONF_ROW("a [x, y]", "{a: [\"x\", \"y\"]}"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_suffixes_c11(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a [1k, 1K, 2m, 3g, 4t, 5p, 6e ]",
                 "{a: [1000, 1000, 2000000, 3000000000, 4000000000000, 5000000000000000, "
                 "6000000000000000000]}"),
        CONF_ROW("a [1kb, 1KB, 1ki, 1Ki, 1kib, 1KiB ]",
                 "{a: [1024, 1024, 1024, 1024, 1024, 1024]}"),
        CONF_ROW("a [1mb, 1gi, 1TiB, 1pb, 1eib ]",
                 "{a: [1048576, 1073741824, 1099511627776, 1125899906842624, "
                 "1152921504606846976]}"),
        CONF_ROW("a: 8eb, b: 9eb, c: -5k",
                 "{a: -9223372036854775808, b: -8070450532247928832, c: -5000}"),
        CONF_ROW("a: -9223372036854775808k", "{a: 0}"),
        CONF_ROW("a: 1b, b: 1kx, c: 1k1, d: 1kb#, e: -5kx",
                 "{a: \"1b\", b: \"1kx\", c: \"1k1\", d: \"1kb#\", e: \"-5kx\"}"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_unknown_suffix_c12(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a: 1kbb", "{}"), CONF_ROW("a: 1; b: 1kbb; c: 2", "{a: 1, c: 2}"),
        CONF_ROW("a [1kbb, 2kii, x ]", "{a: [\"x\"]}"),
        CONF_ROW("a {b: 1kbb}", "{b: {}}"), // the key waits on, and the map gets it
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_numbers(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a [0, -0, 007, -12, 9223372036854775807, -9223372036854775808 ]",
                 "{a: [0, 0, 7, -12, 9223372036854775807, -9223372036854775808]}"),
        CONF_ROW("a: 9223372036854775808", "!integer '9223372036854775808' is out of the range"),
        CONF_ROW("a: -99999999999999999999kb",
                 "!integer '-99999999999999999999kb' is out of the range"),
        CONF_ROW("a: -x", "!Parse error on line 1: 'Expected a digit but got 'x'.'"),
        CONF_ROW("a: -\n", "!Parse error on line 2: 'Expected a digit but got '\\n'.'"),
        CONF_ROW("a: -.5", "!Parse error on line 1: 'Floats must start with a digit, not '.'.'"),
        CONF_ROW("a: +1, b: 0x10, c: 1_000", "{a: \"+1\", b: \"0x10\", c: \"1_000\"}"),
        CONF_ROW("a: 1.5, b: -0.25", "{a: 1.500000000, b: -0.2500000000}"),
        CONF_ROW("a: 5.",
                 "!Parse error on line 1: 'Floats must have a digit after the '.', but got '\0' "
                 "instead.'"),
        CONF_ROW("a: 127.0.0.1, b: 127.0.0.1:-1, c: 1.5.",
                 "{a: \"127.0.0.1\", b: \"127.0.0.1:-1\", c: \"1.5.\"}"),
        CONF_ROW("a: 10.0.0.0/8", TOP_END "'8' instead.'"),
        CONF_ROW("a: 1example.com, b: 14222#c, c: 1\\x41",
                 "{a: \"1example.com\", b: \"14222#c\", c: \"1\\x41\"}"),
        CONF_ROW("a: 1'", "{a: \"1'\"}"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_durations_are_words_c14(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a: 10s, b: 500ms, c: 1h30m, d: 1m30s",
                 "{a: \"10s\", b: \"500ms\", c: \"1h30m\", d: \"1m30s\"}"),
        CONF_ROW("a: 2.5s", TOP_END "'s' instead.'"),
        CONF_ROW("a: -10s", TOP_END "'s' instead.'"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_dates(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a: 1970-01-01T00:00:00Z", "{a: @0}"),
        CONF_ROW("a: 2024-02-29T23:59:59Z", "{a: @1709251199}"),
        CONF_ROW("a: 0000-01-01T00:00:00Z", "{a: @-62167219200}"),
        CONF_ROW("a: 2023-02-29T00:00:00Z",
                 "!expected Zulu formatted DateTime, but got '2023-02-29T00:00:00Z'"),
        CONF_ROW("a: 2023-01-01T24:00:00Z",
                 "!expected Zulu formatted DateTime, but got '2023-01-01T24:00:00Z'"),
        CONF_ROW("a: 2023-00-01T00:00:00Z",
                 "!expected Zulu formatted DateTime, but got '2023-00-01T00:00:00Z'"),
        CONF_ROW("a: 12-34", "!Parse error on line 1: 'All ISO8601 dates must be in full Zulu "
                             "form.'"),
        CONF_ROW("a: 2023-x", "!Parse error on line 1: 'Expected digit in ISO8601 datetime, but "
                              "found 'x' instead.'"),
        CONF_ROW("a: 2023-01-01\n", "!Parse error on line 2: 'Expected 'T' in ISO8601 datetime, "
                                    "but found '\\n' instead.'"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_quotes_and_escapes),
        cmocka_unit_test(test_block_strings_c15),
        cmocka_unit_test(test_integers_in_arrays_c10),
        cmocka_unit_test(test_suffixes_c11),
        cmocka_unit_test(test_unknown_suffix_c12),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_durations_are_words_c14),
        cmocka_unit_test(test_dates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
