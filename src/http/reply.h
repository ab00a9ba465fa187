/* SPDX-License-Identifier: Apache-2.0 */
/* What an HTTP response begins with. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/** How the other side finds the end of the body. */
enum http_framing {
    HTTP_LENGTH,    // it is told how long the body is
    HTTP_CHUNKED,   // the body comes in chunks: http_chunk_begin, http_chunk_end
    HTTP_UNTIL_END, // it ends with the connection
};

struct http_reply {
    const char *status;       // "200 OK"
    const char *content_type; // NULL: none
    struct str fields;        // more of the header: whole lines
    enum http_framing framing;
    uint64_t length; // [bytes] of the body, with HTTP_LENGTH
    bool is_1_0;     // as the request was
    bool keeps_alive;
};

/** @return  code and reason of a status, "200 OK"; static. Thread: any. */
const char *http_status(int code);

/**
 * Append the status line and the header, with the present date.
 * Thread: the owner of out (as for all here).
 */
void http_reply_write(const struct http_reply *r, struct buf *out);

/** Append what comes before the n bytes of a chunk; n is not 0. */
void http_chunk_begin(struct buf *out, size_t n);

/** Append what comes after a chunk. */
void http_chunk_end(struct buf *out);

/** Append what comes after the last chunk. */
void http_chunk_end_all(struct buf *out);
