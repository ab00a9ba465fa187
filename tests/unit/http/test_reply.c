/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of responses, and the frame of chunks. */
#include "http/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* Compares all but the date, which is written as "Date: X". */
static void expect(struct http_reply r, const char *want)
{
    struct buf out = {0};
    struct tm t;

    http_reply_write(&r, &out);
    buf_add_char(&out, '\0');
    char *date = strstr(out.p, "Date: ");
    assert_non_null(date);
    char *end = strptime(date, "Date: %a, %d %b %Y %H:%M:%S GMT", &t);
    assert_non_null(end);
    assert_true(labs(timegm(&t) - time(NULL)) <= 2);
    date[6] = 'X';
    memmove(date + 7, end, strlen(end) + 1);
    assert_string_equal(out.p, want);
    buf_deinit(&out);
}

static void test_length(void **state)
{
    (void)state;
    expect((struct http_reply){.status = http_status(200),
                               .content_type = "text/plain",
                               .fields = STR("A: b\r\n"),
                               .length = 12,
                               .keeps_alive = true},
           "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nA: b\r\nDate: X\r\nContent-Length: "
           "12\r\n\r\n");
    expect((struct http_reply){.status = http_status(404)},
           "HTTP/1.1 404 Not Found\r\nDate: X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

static void test_framing(void **state)
{
    (void)state;
    expect((struct http_reply){.status = http_status(200),
                               .framing = HTTP_CHUNKED,
                               .keeps_alive = true},
           "HTTP/1.1 200 OK\r\nDate: X\r\nTransfer-Encoding: chunked\r\n\r\n");
    expect(
        (struct http_reply){.status = http_status(400), .framing = HTTP_UNTIL_END, .is_1_0 = true},
        "HTTP/1.0 400 Bad Request\r\nDate: X\r\n\r\n");
    expect((struct http_reply){.status = http_status(500), .is_1_0 = true, .keeps_alive = true},
           "HTTP/1.0 500 Internal Server Error\r\nDate: X\r\nContent-Length: 0\r\nConnection: "
           "keep-alive\r\n\r\n");
}

static void test_chunks(void **state)
{
    struct buf out = {0};

    (void)state;
    http_chunk_begin(&out, 26);
    buf_add(&out, STR("abcdefghijklmnopqrstuvwxyz"));
    http_chunk_end(&out);
    http_chunk_end_all(&out);
    assert_true(str_equal(buf_str(&out), STR("1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n")));
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_framing),
        cmocka_unit_test(test_chunks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
