/* SPDX-License-Identifier: Apache-2.0 */
/* Query strings: names and values, escapes, and what is skipped. */
#include "http/query_string.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* All pairs as "name=value|". */
static void expect(const char *text, const char *want)
{
    struct str rest = str_of(text);
    struct buf name = {0};
    struct buf value = {0};
    struct buf all = {0};

    while (query_string_next(&rest, &name, &value)) {
        buf_printf(&all, "%.*s=%.*s|", STR_ARG(buf_str(&name)), STR_ARG(buf_str(&value)));
    }
    assert_int_equal(rest.n, 0);
    buf_add_char(&all, '\0');
    assert_string_equal(all.p, want);
    buf_deinit(&name);
    buf_deinit(&value);
    buf_deinit(&all);
}

static void test_pairs(void **state)
{
    (void)state;
    expect("", "");
    expect("a=1&b=2", "a=1|b=2|");
    expect("a&b=&=c", "a=|b=|=c|");
    expect("&&a=1&", "a=1|");
    expect("a=b=c", "a=b=c|");
    expect("a=1&a=2", "a=1|a=2|");
}

static void test_escapes(void **state)
{
    (void)state;
    expect("a%20b=c+d&%61=%2B%3d%26", "a b=c d|a=+=&|");
    expect("a=%zz&b=%4&c=%&%x=1&d=%e2%82%ac", "d=\xe2\x82\xac|");
    expect("a;b=1&c=2;d=3&e=4", "e=4|");
}

static void test_percent(void **state)
{
    struct buf out = {0};

    (void)state;
    assert_true(percent_decode(STR("/a%2Fb+c"), &out));
    assert_true(str_equal(buf_str(&out), STR("/a/b+c")));
    assert_false(percent_decode(STR("%2"), &out));
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_percent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
