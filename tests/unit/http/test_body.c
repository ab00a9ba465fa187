/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies are skipped to their last byte, however they are cut. */
#include "http/body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/head.h"

static const struct http_head chunked = {.is_chunked = true};

/* Skips a body that comes in pieces of n bytes. @return  what is left of the text */
static const char *skip_over(const struct http_head *head, const char *text, size_t n,
                             enum http_body_place want)
{
    struct http_body b = http_body_of(head);
    const char *end = text + strlen(text);

    while (text < end && b.place != HTTP_BODY_END && b.place != HTTP_BODY_BAD) {
        size_t there = (size_t)(end - text) < n ? (size_t)(end - text) : n;
        struct str rest = {.p = text, .n = there};

        bool is_over = http_body_skip(&b, &rest);

        assert_int_equal(is_over, b.place == HTTP_BODY_END);
        text = rest.p;
    }
    assert_int_equal(b.place, want);
    return text;
}

static void test_length(void **state)
{
    (void)state;
    for (size_t n = 1; n < 8; n++) {
        assert_string_equal(
            skip_over(&(struct http_head){.body_bytes = 5}, "helloGET", n, HTTP_BODY_END), "GET");
    }
    assert_string_equal(skip_over(&(struct http_head){0}, "GET", 3, HTTP_BODY_END), "GET");
    (void)skip_over(&(struct http_head){.body_bytes = HTTP_BODY_MAX + 1}, "GET", 3, HTTP_BODY_BAD);
}

static void test_chunks(void **state)
{
    static const char *const bodies[] = {
        "0\r\n\r\nGET",
        "5\r\nhello\r\n0\r\n\r\nGET",
        "1;ext=1\r\nx\r\n0A \r\n0123456789\r\n000\r\nTrailer: y\r\nZ\r\n\r\nGET",
        "5\nhello\n0\n\nGET",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        for (size_t n = 1; n <= strlen(bodies[i]); n++) {
            assert_string_equal(skip_over(&chunked, bodies[i], n, HTTP_BODY_END), "GET");
        }
    }
}

static void test_bad_chunks(void **state)
{
    static const char *const bodies[] = {"x\r\n", "-1\r\n", "1\r\nab\r\n", "fffffffff\r\n",
                                         "ffffffffffffffffffffffffffffffff\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        (void)skip_over(&chunked, bodies[i], 1, HTTP_BODY_BAD);
    }
}

/* Many small chunks are as much as a large one. */
static void test_too_long(void **state)
{
    struct http_body b = http_body_of(&chunked);

    (void)state;
    for (size_t i = 0; i <= HTTP_BODY_MAX / 6; i++) {
        struct str rest = STR("1\r\nx\r\n");

        assert_false(http_body_skip(&b, &rest));
    }
    assert_int_equal(b.place, HTTP_BODY_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_bad_chunks),
        cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
