/* SPDX-License-Identifier: Apache-2.0 */
/* Encoded payloads, decoded again. */
#include "proto/content_coding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/attr.h"
#include "base/mem.h"

enum { LONG = 200000 };

static void test_find(void **state)
{
    static const struct {
        const char *accept;
        enum content_coding coding;
    } rows[] = {
        {"", CONTENT_IDENTITY},          {"br", CONTENT_IDENTITY}, {"gzip", CONTENT_GZIP},
        {"deflate, GZip", CONTENT_GZIP}, {"s2", CONTENT_SNAPPY},   {"gzip, Snappy", CONTENT_SNAPPY},
        {"gzi", CONTENT_IDENTITY},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(content_coding_find(str_of(rows[i].accept)), rows[i].coding);
    }
}

static void test_header(void **state)
{
    struct buf out = {0};

    (void)state;
    content_coding_write_header(CONTENT_SNAPPY, &out);
    assert_true(str_equal(buf_str(&out), STR("NATS/1.0\r\nContent-Encoding: snappy\r\n\r\n")));
    buf_deinit(&out);
}

/* Behind what is in the buffer already. */
static void test_identity(void **state)
{
    struct buf out = {0};

    (void)state;
    buf_add(&out, STR("a"));
    content_coding_encode(CONTENT_IDENTITY, STR("bc"), &out);
    assert_true(str_equal(buf_str(&out), STR("abc")));
    buf_deinit(&out);
}

static char *make_text(size_t n)
{
    char *text = mem_alloc(n + 1);

    for (size_t i = 0; i < n; i++) {
        text[i] = (char)(i * i >> 3);
    }
    return text;
}

static void test_gzip(void **state)
{
    static const size_t sizes[] = {0, 1, 100, LONG};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        char *text = make_text(sizes[i]);
        char *back = mem_alloc(LONG + 1);
        struct buf out = {0};

        content_coding_encode(CONTENT_GZIP, (struct str){.p = text, .n = sizes[i]}, &out);
        z_stream z = {.next_in = (Bytef *)out.p,
                      .avail_in = (uInt)out.n,
                      .next_out = (Bytef *)back,
                      .avail_out = LONG + 1};
        assert_int_equal(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        assert_int_equal(z.total_out, sizes[i]);
        assert_int_equal(z.avail_in, 0);
        assert_memory_equal(back, text, sizes[i]);
        inflateEnd(&z);
        buf_deinit(&out);
        mem_free(back);
        mem_free(text);
    }
}

/* The checksum of "123456789" is that of RFC 3720's algorithm, 0xe3069283, masked. */
static void test_snappy(void **state)
{
    static const char frames[] = "\xff\x06\0\0sNaPpY\x01\x0d\0\0\xe5\xb0\x8a\xc7"
                                 "123456789";
    struct buf out = {0};

    (void)state;
    content_coding_encode(CONTENT_SNAPPY, STR("123456789"), &out);
    assert_int_equal(out.n, sizeof(frames) - 1);
    assert_memory_equal(out.p, frames, out.n);
    buf_deinit(&out);
}

static void test_snappy_chunks(void **state)
{
    char *text = make_text(LONG);
    struct buf out = {0};
    size_t done = 0;

    (void)state;
    content_coding_encode(CONTENT_SNAPPY, (struct str){.p = text, .n = LONG}, &out);
    for (size_t at = 10; at < out.n;) {
        const unsigned char *chunk = (const unsigned char *)out.p + at;
        size_t n = chunk[1] | (size_t)chunk[2] << 8 | (size_t)chunk[3] << 16;

        assert_int_equal(chunk[0], 1);
        assert_in_range(n, 5, 65536 + 4);
        assert_memory_equal(chunk + 8, text + done, n - 4);
        done += n - 4;
        at += 4 + n;
    }
    assert_int_equal(done, LONG);
    buf_deinit(&out);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),     cmocka_unit_test(test_header),
        cmocka_unit_test(test_identity), cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_snappy),   cmocka_unit_test(test_snappy_chunks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
