/* SPDX-License-Identifier: Apache-2.0 */
/* Compact JSON in lines, however it is cut. */
#include "base/json_indent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(const char *text, const char *want)
{
    for (size_t n = 1; n <= strlen(text); n++) {
        struct json_indent i = {.width = 2};
        struct str rest = str_of(text);
        struct buf out = {0};

        while (rest.n) {
            size_t piece = rest.n < n ? rest.n : n;

            json_indent_add(&i, (struct str){.p = rest.p, .n = piece}, &out);
            rest = (struct str){.p = rest.p + piece, .n = rest.n - piece};
        }
        buf_add_char(&out, '\0');
        assert_string_equal(out.p, want);
        buf_deinit(&out);
    }
}

static void test_lines(void **state)
{
    (void)state;
    expect("{\"a\":1,\"b\":[true,null],\"c\":{\"d\":-1.5e3}}", "{\n"
                                                               "  \"a\": 1,\n"
                                                               "  \"b\": [\n"
                                                               "    true,\n"
                                                               "    null\n"
                                                               "  ],\n"
                                                               "  \"c\": {\n"
                                                               "    \"d\": -1.5e3\n"
                                                               "  }\n"
                                                               "}");
}

static void test_empty(void **state)
{
    (void)state;
    expect("{}", "{}");
    expect("[]", "[]");
    expect("[{},[[]],\"\"]", "[\n  {},\n  [\n    []\n  ],\n  \"\"\n]");
    expect("1", "1");
}

static void test_strings(void **state)
{
    (void)state;
    expect("[\"{},:[]\",\"a\\\"{\",\"\\\\\",\"x\"]",
           "[\n  \"{},:[]\",\n  \"a\\\"{\",\n  \"\\\\\",\n  \"x\"\n]");
}

static void test_unchanged(void **state)
{
    struct json_indent i = {0};
    struct buf out = {0};

    (void)state;
    json_indent_add(&i, STR("{\"a\":[1]}"), &out);
    assert_true(str_equal(buf_str(&out), STR("{\"a\":[1]}")));
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_unchanged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
