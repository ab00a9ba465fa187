/* SPDX-License-Identifier: Apache-2.0 */
/* gzip compresses. Snappy's frames hold their chunks as they are, which every reader takes: clients
 * ask for it as a matter of course, and what it would save is not worth an encoder. */
#include "proto/content_coding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "base/attr.h"

#define GZIP_WINDOW_BITS (MAX_WBITS + 16) // gzip's header and trailer, rather than zlib's
#define GZIP_MEMORY 8                     // zlib's default
#define SNAPPY_CHUNK 65536u
#define SNAPPY_PLAIN_CHUNK '\x01'
#define SNAPPY_CRC_BYTES 4u

static bool contains(struct str s, struct str word)
{
    for (; s.n >= word.n; s.p++, s.n--) {
        if (str_equal_nocase((struct str){.p = s.p, .n = word.n}, word)) {
            return true;
        }
    }
    return false;
}

enum content_coding content_coding_find(struct str accept)
{
    if (contains(accept, STR("snappy")) || contains(accept, STR("s2"))) {
        return CONTENT_SNAPPY;
    }
    return contains(accept, STR("gzip")) ? CONTENT_GZIP : CONTENT_IDENTITY;
}

void content_coding_write_header(enum content_coding coding, struct buf *out)
{
    static const char *const names[] = {
        [CONTENT_IDENTITY] = "identity", [CONTENT_GZIP] = "gzip", [CONTENT_SNAPPY] = "snappy"};

    buf_printf(out, "NATS/1.0\r\nContent-Encoding: %s\r\n\r\n", names[coding]);
}

static void add_gzip(struct str payload, struct buf *out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)payload.p, .avail_in = (uInt)payload.n};

    ENSURE(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, GZIP_MEMORY,
                        Z_DEFAULT_STRATEGY) == Z_OK);
    z.avail_out = (uInt)deflateBound(&z, payload.n);
    z.next_out = (Bytef *)buf_reserve(out, z.avail_out);
    ENSURE(deflate(&z, Z_FINISH) == Z_STREAM_END); // there is room for all of it
    out->n += z.total_out;
    deflateEnd(&z);
}

/* CRC-32C, masked as frames have it. */
static uint32_t snappy_crc(struct str s)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < s.n; i++) {
        crc ^= (uint8_t)s.p[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
        }
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void add_number(struct buf *out, uint32_t number, unsigned n_bytes)
{
    for (unsigned i = 0; i < n_bytes; i++) {
        buf_add_char(out, (char)(number >> 8 * i & 0xff));
    }
}

static void add_snappy(struct str payload, struct buf *out)
{
    buf_add(out, STR("\xff\x06"));
    add_number(out, 0, 2);
    buf_add(out, STR("sNaPpY"));
    while (payload.n) {
        size_t n = payload.n < SNAPPY_CHUNK ? payload.n : SNAPPY_CHUNK;
        struct str chunk = {.p = payload.p, .n = n};

        buf_add_char(out, SNAPPY_PLAIN_CHUNK);
        add_number(out, (uint32_t)n + SNAPPY_CRC_BYTES, 3);
        add_number(out, snappy_crc(chunk), SNAPPY_CRC_BYTES);
        buf_add(out, chunk);
        payload = (struct str){.p = payload.p + n, .n = payload.n - n};
    }
}

void content_coding_encode(enum content_coding coding, struct str payload, struct buf *out)
{
    switch (coding) {
    case CONTENT_GZIP:
        add_gzip(payload, out);
        break;
    case CONTENT_SNAPPY:
        add_snappy(payload, out);
        break;
    case CONTENT_IDENTITY:
        buf_add(out, payload);
        break;
    }
}
