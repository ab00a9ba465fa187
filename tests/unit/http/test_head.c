/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of requests: what is one, what it says of the connection and the body, and what is
 * refused; whole and in pieces. */
#include "http/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define HOST "Host: a\r\n"

static struct http_head parse(const char *text, enum http_head_result want)
{
    struct http_head head;
    size_t seen = 0;

    assert_int_equal(http_head_parse(str_of(text), &seen, &head), want);
    return head;
}

static void expect_str(struct str have, const char *want)
{
    assert_int_equal(have.n, strlen(want));
    assert_memory_equal(have.p, want, have.n);
}

static void test_parts(void **state)
{
    const char *text =
        "POST /a?b=%20 HTTP/1.1\r\nHost: x:80\r\nX-Y:  v w \t\r\nx-y: second\r\n\r\nrest";
    struct http_head head = parse(text, HTTP_HEAD_OK);
    struct str value;

    (void)state;
    expect_str(head.method, "POST");
    expect_str(head.target, "/a?b=%20");
    assert_string_equal(text + head.n, "rest");
    assert_false(head.is_1_0);
    assert_true(http_head_find(&head, STR("x-Y"), &value));
    expect_str(value, "v w");
    assert_false(http_head_find(&head, STR("X"), &value));
}

static void test_fields_one_by_one(void **state)
{
    struct http_head head = parse("GET / HTTP/1.1\nHost: x\nA:\nB: c:d\n\n", HTTP_HEAD_OK);
    struct http_field f;

    (void)state;
    assert_true(http_field_next(&head.fields, &f));
    expect_str(f.name, "Host");
    assert_true(http_field_next(&head.fields, &f));
    expect_str(f.name, "A");
    expect_str(f.value, "");
    assert_true(http_field_next(&head.fields, &f));
    expect_str(f.value, "c:d");
    assert_false(http_field_next(&head.fields, &f));
}

/* However it is cut, it is complete with its last byte and not before. */
static void test_pieces(void **state)
{
    static const char *const texts[] = {
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\nHost: x\n\n",
        "GET / HTTP/1.1\r\nHost: x\n\r\n", "GET / HTTP/1.0\r\n\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct str all = str_of(texts[i]);
        struct http_head head;
        size_t seen = 0;

        for (size_t n = 0; n < all.n; n++) {
            assert_int_equal(http_head_parse((struct str){.p = all.p, .n = n}, &seen, &head),
                             HTTP_HEAD_MORE);
        }
        assert_int_equal(http_head_parse(all, &seen, &head), HTTP_HEAD_OK);
        assert_int_equal(head.n, all.n);
    }
}

static void test_connection(void **state)
{
    static const struct {
        const char *text;
        bool keeps_alive;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", true},
        {"GET / HTTP/1.2\r\n" HOST "\r\n", true},
        {"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: upgrade , Close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n", true},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(parse(cases[i].text, HTTP_HEAD_OK).keeps_alive, cases[i].keeps_alive);
    }
}

static void test_body(void **state)
{
    struct http_head head = parse(
        "PUT / HTTP/1.1\r\n" HOST "Content-Length: 12\r\ncontent-length: 12\r\n\r\n", HTTP_HEAD_OK);

    (void)state;
    assert_int_equal(head.body_bytes, 12);
    assert_false(head.is_chunked);
    head = parse("PUT / HTTP/1.1\r\n" HOST
                 "Transfer-Encoding: Chunked\r\nExpect: 100-continue\r\n\r\n",
                 HTTP_HEAD_OK);
    assert_true(head.is_chunked);
    assert_true(head.expects);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"garbage\r\n\r\n", "400 Bad Request"},
        {"\r\n", "400 Bad Request"},
        {"GET /\r\n\r\n", "400 Bad Request"},
        {"GET  / HTTP/1.1\r\n" HOST "\r\n", "400 Bad Request"},
        {"GET / x HTTP/1.1\r\n" HOST "\r\n", "400 Bad Request"},
        {"G(T / HTTP/1.1\r\n" HOST "\r\n", "400 Bad Request"},
        {"GET /\x01 HTTP/1.1\r\n" HOST "\r\n", "400 Bad Request"},
        {"GET / http/1.1\r\n" HOST "\r\n", "400 Bad Request"},
        {"GET / HTTP/1.10\r\n" HOST "\r\n", "400 Bad Request"},
        {"GET / HTTP/1\r\n" HOST "\r\n", "400 Bad Request"},
        {"GET / HTTP/2.0\r\n" HOST "\r\n",
         "505 HTTP Version Not Supported: unsupported protocol version"},
        {"PRI * HTTP/2.0\r\n\r\n", "400 Bad Request"},
        {"GET / HTTP/1.1\r\n\r\n", "400 Bad Request: missing required Host header"},
        {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", "400 Bad Request"},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400 Bad Request: malformed Host header"},
        {"GET / HTTP/1.1\r\n" HOST "x : y\r\n\r\n", "400 Bad Request: invalid header name"},
        {"GET / HTTP/1.1\r\n" HOST " x: y\r\n\r\n", "400 Bad Request"},
        {"GET / HTTP/1.1\r\n" HOST ": y\r\n\r\n", "400 Bad Request"},
        {"GET / HTTP/1.1\r\n" HOST "x\r\n\r\n", "400 Bad Request"},
        {"GET / HTTP/1.1\r\n" HOST "x: \x01\r\n\r\n", "400 Bad Request"},
        {"GET / HTTP/1.1\r\n" HOST "x: a\rb\r\n\r\n", "400 Bad Request"},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: x\r\n\r\n", "400 Bad Request"},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", "400 Bad Request"},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", "400 Bad Request"},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\n",
         "400 Bad Request"},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
         "400 Bad Request"},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n",
         "501 Not Implemented: unsupported transfer encoding"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(parse(cases[i].text, HTTP_HEAD_BAD).refusal, cases[i].why);
    }
}

static void test_too_large(void **state)
{
    size_t n = HTTP_HEAD_MAX + 1;
    char *text = mem_alloc(n);
    struct http_head head;
    size_t seen = 0;

    (void)state;
    memset(text, 'x', n);
    assert_int_equal(http_head_parse((struct str){.p = text, .n = n - 1}, &seen, &head),
                     HTTP_HEAD_MORE);
    assert_int_equal(http_head_parse((struct str){.p = text, .n = n}, &seen, &head), HTTP_HEAD_BAD);
    assert_string_equal(head.refusal, "431 Request Header Fields Too Large");
    mem_free(text);
}

static void test_too_many(void **state)
{
    static const char line[] = "X: y\r\n";
    char text[64 + (HTTP_FIELDS_MAX + 1) * sizeof(line)] = "GET / HTTP/1.1\r\n" HOST;
    char *at = text + strlen(text);

    (void)state;
    for (unsigned i = 1; i < HTTP_FIELDS_MAX; i++, at += sizeof(line) - 1) {
        memcpy(at, line, sizeof(line));
    }
    memcpy(at, "\r\n", 3);
    (void)parse(text, HTTP_HEAD_OK);
    memcpy(at, "X: y\r\n\r\n", 9);
    assert_string_equal(parse(text, HTTP_HEAD_BAD).refusal, "431 Request Header Fields Too Large");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),     cmocka_unit_test(test_fields_one_by_one),
        cmocka_unit_test(test_pieces),    cmocka_unit_test(test_connection),
        cmocka_unit_test(test_body),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_large), cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
