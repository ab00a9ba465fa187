/* SPDX-License-Identifier: Apache-2.0 */
/* A greedy encoder: four bytes that were seen before, as far as a small table of places remembers,
 * begin a copy; all else is written as it is. Where little repeats it looks at fewer and fewer
 * places, and a frame that would not become smaller is stored. */
#include "proto/snappy.h"

#include <stdint.h>

#include "base/attr.h"

#define FRAME_COMPRESSED '\x00'
#define FRAME_STORED '\x01'
#define CRC_BYTES 4u

#define HASH_BITS 13
#define MIN_MATCH 4u
#define MAX_COPY 64u         // that one element holds
#define SKIP_SHIFT 5         // after so many bytes without a match every second place is looked at
#define SHORT_OFFSETS 2048u  // what a short copy reaches
#define SHORT_COPY 11u       // and holds
#define MAX_PLAIN_LITERAL 60 // whose length is in its tag

static void add_number(struct buf *out, uint32_t number, unsigned n_bytes)
{
    for (unsigned i = 0; i < n_bytes; i++) {
        buf_add_char(out, (char)(number >> 8 * i & 0xff));
    }
}

/* ---- elements of a block ---- */

static void add_literal(struct buf *out, struct str bytes)
{
    uint32_t n = (uint32_t)bytes.n - 1;

    if (bytes.n == 0) {
        return;
    }
    if (n < MAX_PLAIN_LITERAL) {
        add_number(out, n << 2, 1);
    } else if (n < 256) {
        add_number(out, 60u << 2, 1);
        add_number(out, n, 1);
    } else {
        add_number(out, 61u << 2, 1);
        add_number(out, n, 2);
    }
    buf_add(out, bytes);
}

static void add_long_copy(struct buf *out, uint32_t offset, uint32_t n)
{
    add_number(out, (n - 1) << 2 | 2, 1);
    add_number(out, offset, 2);
}

/* What is left of a copy after one element must be long enough for the next. */
static void add_copy(struct buf *out, uint32_t offset, uint32_t n)
{
    while (n >= MAX_COPY + MIN_MATCH) {
        add_long_copy(out, offset, MAX_COPY);
        n -= MAX_COPY;
    }
    if (n > MAX_COPY) {
        add_long_copy(out, offset, MAX_COPY - MIN_MATCH);
        n -= MAX_COPY - MIN_MATCH;
    }
    if (n <= SHORT_COPY && offset < SHORT_OFFSETS) {
        add_number(out, offset >> 8 << 5 | (n - MIN_MATCH) << 2 | 1, 1);
        add_number(out, offset, 1);
    } else {
        add_long_copy(out, offset, n);
    }
}

/* ---- blocks ---- */

static uint32_t load(const char *p)
{
    uint32_t bytes;

    memcpy(&bytes, p, sizeof(bytes));
    return bytes;
}

static uint32_t count_equal(struct str text, uint32_t a, uint32_t b)
{
    uint32_t n = 0;

    while (b + n < text.n && text.p[a + n] == text.p[b + n]) {
        n++;
    }
    return n;
}

static void add_elements(struct buf *out, struct str text)
{
    uint16_t places[1u << HASH_BITS] = {0};
    uint32_t done = 0;
    uint32_t at = 1; // nothing is before the first byte

    while (at + MIN_MATCH <= text.n) {
        uint16_t *place = &places[load(text.p + at) * 0x9e3779b1u >> (32 - HASH_BITS)];
        uint32_t before = *place;

        *place = (uint16_t)at;
        if (load(text.p + before) != load(text.p + at)) {
            at += 1 + ((at - done) >> SKIP_SHIFT);
            continue;
        }
        uint32_t n = count_equal(text, before, at);

        add_literal(out, (struct str){.p = text.p + done, .n = at - done});
        add_copy(out, at - before, n);
        at += n;
        done = at;
    }
    add_literal(out, (struct str){.p = text.p + done, .n = text.n - done});
}

void snappy_add_block(struct buf *out, struct str text)
{
    uint32_t n = (uint32_t)text.n;

    ENSURE(text.n <= SNAPPY_FRAME_BYTES);
    for (; n >= 0x80; n >>= 7) {
        add_number(out, n | 0x80, 1);
    }
    add_number(out, n, 1);
    add_elements(out, text);
}

/* ---- frames ---- */

/* CRC-32C, masked as frames have it. */
static uint32_t checksum(struct str s)
{
    static const uint32_t by_nibble[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
                                           0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
                                           0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                           0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < s.n; i++) {
        crc ^= (uint8_t)s.p[i];
        crc = crc >> 4 ^ by_nibble[crc & 15];
        crc = crc >> 4 ^ by_nibble[crc & 15];
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void add_frame(struct buf *out, struct str text)
{
    struct buf block = {0};
    bool is_smaller;

    snappy_add_block(&block, text);
    is_smaller = block.n < text.n;
    struct str content = is_smaller ? buf_str(&block) : text;

    buf_add_char(out, is_smaller ? FRAME_COMPRESSED : FRAME_STORED);
    add_number(out, (uint32_t)content.n + CRC_BYTES, 3);
    add_number(out, checksum(text), CRC_BYTES);
    buf_add(out, content);
    buf_deinit(&block);
}

void snappy_add_stream(struct buf *out, struct str text)
{
    buf_add(out, STR("\xff\x06"));
    add_number(out, 0, 2);
    buf_add(out, STR("sNaPpY"));
    while (text.n) {
        size_t n = text.n < SNAPPY_FRAME_BYTES ? text.n : SNAPPY_FRAME_BYTES;

        add_frame(out, (struct str){.p = text.p, .n = n});
        text = (struct str){.p = text.p + n, .n = text.n - n};
    }
}
