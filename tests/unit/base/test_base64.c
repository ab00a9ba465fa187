/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of RFC 4648, and bytes that are no text. */
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"

static void test_examples(void **state)
{
    static const struct {
        struct str bytes;
        const char *text;
    } rows[] = {{STR_INIT(""), ""},
                {STR_INIT("f"), "Zg=="},
                {STR_INIT("fo"), "Zm8="},
                {STR_INIT("foo"), "Zm9v"},
                {STR_INIT("foob"), "Zm9vYg=="},
                {STR_INIT("fooba"), "Zm9vYmE="},
                {STR_INIT("foobar"), "Zm9vYmFy"},
                {STR_INIT("\xff\xfe\0"), "//4A"},
                {STR_INIT("\xfb\xef\xbe"), "++++"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf out = {0};

        buf_add(&out, STR("x"));
        base64_add(&out, rows[i].bytes);
        buf_add_char(&out, '\0');
        assert_string_equal(out.p + 1, rows[i].text);
        out.n = 0;
        assert_true(base64_decode(str_of(rows[i].text), &out));
        assert_true(str_equal(buf_str(&out), rows[i].bytes));
        buf_deinit(&out);
    }
}

static void test_no_base64(void **state)
{
    static const char *const rows[] = {
        "Z", "Zg", "Zg=", "Z===", "Zm9*", "====", "Zm=v", "\xc3\xa4=="};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf out = {0};

        assert_false(base64_decode(str_of(rows[i]), &out));
        buf_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_no_base64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
