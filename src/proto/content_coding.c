/* SPDX-License-Identifier: Apache-2.0 */
/* What a header asks for, and the encoders. */
#include "proto/content_coding.h"

#include <stdbool.h>
#include <stddef.h>
#include <zlib.h>

#include "base/attr.h"
#include "proto/snappy.h"

#define GZIP_WINDOW_BITS (MAX_WBITS + 16) // gzip's header and trailer, rather than zlib's
#define GZIP_MEMORY 8                     // zlib's default

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

void content_coding_encode(enum content_coding coding, struct str payload, struct buf *out)
{
    switch (coding) {
    case CONTENT_GZIP:
        add_gzip(payload, out);
        break;
    case CONTENT_SNAPPY:
        snappy_add_stream(out, payload);
        break;
    case CONTENT_IDENTITY:
        buf_add(out, payload);
        break;
    }
}
