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

/* @return  the next number of a few bytes, the lowest first */
static size_t take(const unsigned char **at, unsigned n)
{
    size_t number = 0;

    for (unsigned i = 0; i < n; i++) {
        number |= (size_t)*(*at)++ << 8 * i;
    }
    return number;
}

static void decode_literal(const unsigned char **at, size_t tag, struct buf *out)
{
    size_t n = tag >> 2;

    if (n >= 60) {
        n = take(at, (unsigned)n - 59);
    }
    buf_add(out, (struct str){.p = (const char *)*at, .n = n + 1});
    *at += n + 1;
}

static void decode_copy(const unsigned char **at, size_t tag, struct buf *out)
{
    bool is_short = (tag & 3) == 1;
    size_t n = is_short ? (tag >> 2 & 7) + 4 : (tag >> 2) + 1;
    size_t offset = is_short ? tag >> 5 << 8 | take(at, 1) : take(at, 2);

    assert_in_range(offset, 1, out->n);
    for (size_t i = 0; i < n; i++) {
        buf_add_char(out, out->p[out->n - offset]);
    }
}

/* A block, as https://github.com/google/snappy/blob/main/format_description.txt has it. */
static void decode_block(const unsigned char *at, const unsigned char *end, struct buf *out)
{
    size_t n = 0;
    size_t before = out->n;
    unsigned shift = 0;

    do {
        n |= (size_t)(*at & 0x7f) << shift;
        shift += 7;
    } while (*at++ & 0x80);
    while (at < end) {
        size_t tag = *at++;

        assert_int_not_equal(tag & 3, 3);
        if ((tag & 3) == 0) {
            decode_literal(&at, tag, out);
        } else {
            decode_copy(&at, tag, out);
        }
    }
    assert_ptr_equal(at, end);
    assert_int_equal(out->n - before, n);
}

static void decode_stream(struct str stream, struct buf *out)
{
    const unsigned char *at = (const unsigned char *)stream.p + 10;
    const unsigned char *end = (const unsigned char *)stream.p + stream.n;

    while (at < end) {
        size_t kind = take(&at, 1);
        size_t n = take(&at, 3);

        assert_in_range(kind, 0, 1);
        if (kind == 0) {
            decode_block(at + 4, at + n, out);
        } else {
            buf_add(out, (struct str){.p = (const char *)at + 4, .n = n - 4});
        }
        at += n;
    }
}

/* Texts in which much repeats, little, and nothing. */
static char *make_repetitive(size_t n, unsigned every)
{
    char *text = mem_alloc(n + 1);
    uint32_t random = 1;

    for (size_t i = 0; i < n; i++) {
        random = random * 1664525 + 1013904223;
        text[i] = every && (random >> 16) % every ? "subscriptions"[i % 13] : (char)(random >> 24);
    }
    return text;
}

static void test_snappy_stream(void **state)
{
    static const size_t sizes[] = {0,  1,  3,   4,   5,   59,    60,    61,    67,
                                   68, 69, 255, 256, 257, 65535, 65536, 65537, LONG};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sizes) * 4; i++) {
        static const unsigned every[] = {0, 2, 7, 15};
        size_t n = sizes[i / 4];
        char *text = make_repetitive(n, every[i % 4]);
        struct buf out = {0};
        struct buf back = {0};

        content_coding_encode(CONTENT_SNAPPY, (struct str){.p = text, .n = n}, &out);
        decode_stream(buf_str(&out), &back);
        assert_true(str_equal(buf_str(&back), (struct str){.p = text, .n = n}));
        buf_deinit(&out);
        buf_deinit(&back);
        mem_free(text);
    }
}

static void test_snappy_is_small(void **state)
{
    char *text = make_repetitive(LONG, 0);
    struct buf out = {0};

    (void)state;
    memset(text, 'x', LONG);
    content_coding_encode(CONTENT_SNAPPY, (struct str){.p = text, .n = LONG}, &out);
    assert_in_range(out.n, 1, LONG / 10);
    buf_deinit(&out);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_snappy),
        cmocka_unit_test(test_snappy_stream),
        cmocka_unit_test(test_snappy_is_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
