/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer: structure, commas, numbers, and the escapes of Go's encoding/json. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(struct buf *b, const char *want)
{
    buf_add_char(b, '\0');
    assert_string_equal(b->p, want);
    buf_deinit(b);
}

static void test_structure(void **state)
{
    struct buf b = {0};
    struct json j = json_to(&b);

    (void)state;
    json_open_object(&j);
    json_add_str(&j, "s", STR("x"));
    json_add_int(&j, "i", INT64_MIN);
    json_add_uint(&j, "u", UINT64_MAX);
    json_add_bool(&j, "t", true);
    json_add_bool(&j, "f", false);
    json_key(&j, "a");
    json_open_array(&j);
    json_int(&j, 1);
    json_open_object(&j);
    json_close_object(&j);
    json_open_array(&j);
    json_close_array(&j);
    json_str(&j, STR(""));
    json_close_array(&j);
    json_key(&j, "r");
    json_raw(&j, STR("{\"x\":1.5}"));
    json_add_int(&j, "z", -1);
    json_close_object(&j);
    expect(&b, "{\"s\":\"x\",\"i\":-9223372036854775808,\"u\":18446744073709551615,\"t\":true,"
               "\"f\":false,\"a\":[1,{},[],\"\"],\"r\":{\"x\":1.5},\"z\":-1}");
}

static void test_omit_empty(void **state)
{
    struct buf b = {0};
    struct json j = json_to(&b);

    (void)state;
    json_open_object(&j);
    json_opt_str(&j, "a", STR(""));
    json_opt_int(&j, "b", 0);
    json_opt_uint(&j, "c", 0);
    json_opt_bool(&j, "d", false);
    json_opt_str(&j, "e", STR("v"));
    json_opt_int(&j, "f", -2);
    json_opt_uint(&j, "g", 3);
    json_opt_bool(&j, "h", true);
    json_close_object(&j);
    expect(&b, "{\"e\":\"v\",\"f\":-2,\"g\":3,\"h\":true}");
}

static void test_reals(void **state)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0, "0"},
                {2, "2"},
                {-0.5, "-0.5"},
                {0.1, "0.1"},
                {4.0 / 3, "1.3333333333333333"},
                {99.9, "99.9"},
                {1e9, "1000000000"}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf b = {0};
        struct json j = json_to(&b);

        json_real(&j, rows[i].value);
        expect(&b, rows[i].text);
    }
}

static void test_time(void **state)
{
    struct buf b = {0};
    struct json j = json_to(&b);

    (void)state;
    json_open_object(&j);
    json_add_time(&j, "t", INT64_C(1795289192892974130));
    json_close_object(&j);
    expect(&b, "{\"t\":\"2026-11-21T19:26:32.89297413Z\"}");
}

static void test_escapes(void **state)
{
    /* the right column is what Go's json.Marshal prints */
    static const struct {
        struct str in;
        const char *out;
    } rows[] = {
        {{"a\"b\\c/", 6}, "\"a\\\"b\\\\c/\""},
        {{"<a>&'", 5}, "\"\\u003ca\\u003e\\u0026'\""},
        {{"\b\f\n\r\t", 5}, "\"\\b\\f\\n\\r\\t\""},
        {{"\0\x01\x1f\x7f", 4}, "\"\\u0000\\u0001\\u001f\x7f\""},
        {{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa6", 9}, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa6\""},
        {{"\xe2\x80\xa8|\xe2\x80\xa9|\xe2\x80\xaa", 11}, "\"\\u2028|\\u2029|\xe2\x80\xaa\""},
        {{"a\xff"
          "b\xc3",
          4},
         "\"a\\ufffdb\\ufffd\""},
        {{"\xc0\x80", 2}, "\"\\ufffd\\ufffd\""},                       // too long a form
        {{"\xe0\x9f\xbf", 3}, "\"\\ufffd\\ufffd\\ufffd\""},            // too long a form
        {{"\xed\xa0\x80", 3}, "\"\\ufffd\\ufffd\\ufffd\""},            // a surrogate
        {{"\xf4\x90\x80\x80", 4}, "\"\\ufffd\\ufffd\\ufffd\\ufffd\""}, // beyond Unicode
        {{"\xf0\x90\x80", 3}, "\"\\ufffd\\ufffd\\ufffd\""},            // cut off
        {{"\xed\x9f\xbf\xee\x80\x80", 6}, "\"\xed\x9f\xbf\xee\x80\x80\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf b = {0};
        struct json j = json_to(&b);

        json_str(&j, rows[i].in);
        expect(&b, rows[i].out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure), cmocka_unit_test(test_omit_empty),
        cmocka_unit_test(test_reals),     cmocka_unit_test(test_time),
        cmocka_unit_test(test_escapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
