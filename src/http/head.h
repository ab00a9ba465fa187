/* SPDX-License-Identifier: Apache-2.0 */
/* What an HTTP/1.x request begins with: the request line and the header fields (RFC 9112). Slices
 * of what was received; nothing is copied. Thread: any, for all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

/** [bytes] A longer head is refused. */
#define HTTP_HEAD_MAX (1u << 20)
/** So many fields, too. */
#define HTTP_FIELDS_MAX 500u

enum http_head_result {
    HTTP_HEAD_MORE, // its end has not come yet
    HTTP_HEAD_OK,
    HTTP_HEAD_BAD, // refusal says why; nothing that follows can be understood
};

/** All slices are of the text that was parsed. */
struct http_head {
    struct str method, target;
    struct str fields;   // the lines of the header, for http_field_next
    size_t n;            // [bytes] up to the body
    uint64_t body_bytes; // of the body
    bool is_chunked;     // instead, the body tells its length by and by
    bool is_1_0;         // HTTP/1.0
    bool keeps_alive;    // the connection is to stay open
    bool expects;        // the body is sent only if we ask for it
    const char *refusal; // BAD: "400 Bad Request", or with more behind it; static
};

/** A field of a header. */
struct http_field {
    struct str name, value;
};

/**
 * Parse what has come of a head.
 * @param in    from its first byte
 * @param seen  [bytes] of `in` that have been looked at for its end: 0 at first, then as it was
 *              left; so a head that comes in many pieces costs no more than one that comes whole
 * @param out   BAD: only refusal means something
 */
MUST_USE enum http_head_result http_head_parse(struct str in, size_t *seen, struct http_head *out);

/**
 * Step to the next field.
 * @param rest  lines of a header; cut by what was stepped over
 * @return      false: that was all, or (before the head was found to be good) a line is none
 */
MUST_USE bool http_field_next(struct str *rest, struct http_field *out);

/** @return  whether a field is there; names match regardless of case. @param value  of the first */
bool http_head_find(const struct http_head *head, struct str name, struct str *value);

/** @return  whether a value that is a list has a word in it, regardless of case. */
bool http_value_has(struct str value, struct str word);
