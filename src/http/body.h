/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of requests that nobody wants: they are skipped, so that the next request is found behind
 * them. Thread: the owner, for all. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

struct http_head;

/** Where in a body. */
enum http_body_place {
    HTTP_BODY_END,       // nothing is left
    HTTP_BODY_BYTES,     // `left` of a known length
    HTTP_BODY_SIZE,      // in the size of a chunk
    HTTP_BODY_EXTENSION, // behind it, up to the end of the line
    HTTP_BODY_CHUNK,     // `left` of a chunk
    HTTP_BODY_CHUNK_END, // in the end of line behind it
    HTTP_BODY_LINE,      // behind the last chunk, where a line of the trailer begins
    HTTP_BODY_TRAILER,   // in such a line
    HTTP_BODY_BAD,       // that was no chunk; or it is too long to be skipped
};

struct http_body {
    enum http_body_place place;
    uint64_t left;    // [bytes] as `place` says
    uint64_t n_bytes; // skipped so far
};

/** [bytes] A longer body is not worth skipping. */
#define HTTP_BODY_MAX (256u << 10)

/** @return  the body behind a head. */
struct http_body http_body_of(const struct http_head *head);

/** Skip what has come of it. @param rest  cut by that. @return  whether nothing is left of it */
MUST_USE bool http_body_skip(struct http_body *b, struct str *rest);
