/* SPDX-License-Identifier: Apache-2.0 */
/* Paths: clean, and as part of a link. */
#include "http/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(void (*fn)(struct str, struct buf *), const char *path, const char *want)
{
    struct buf out = {0};

    fn(str_of(path), &out);
    buf_add_char(&out, '\0');
    assert_string_equal(out.p, want);
    buf_deinit(&out);
}

static void test_clean(void **state)
{
    static const char *const cases[][2] = {
        {"", "/"},
        {"/", "/"},
        {"//", "/"},
        {"/a", "/a"},
        {"a", "/a"},
        {"/a/", "/a/"},
        {"//a", "/a"},
        {"/a//b/", "/a/b/"},
        {"/a/..", "/"},
        {"/a/../b", "/b"},
        {"/../..", "/"},
        {"/a/./b", "/a/b"},
        {"/a/.", "/a"},
        {"/a/./", "/a/"},
        {"/a/b/..", "/a"},
        {"/a/b/../", "/a/"},
        {"/..a/b.", "/..a/b."},
        {"/../../a", "/a"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect(http_path_clean, cases[i][0], cases[i][1]);
    }
}

static void test_escape(void **state)
{
    (void)state;
    expect(http_path_escape, "/aZ09-._~/", "/aZ09-._~/");
    expect(http_path_escape, "/a b\"<\xc3\xa4", "/a%20b%22%3C%C3%A4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_escape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
