/* SPDX-License-Identifier: Apache-2.0 */
/* A strict JSON reader: a cursor that steps through a text token by token. It builds no tree, does
 * not recurse, and allocates nothing but the strings it is asked for. What is JSON, and what a
 * value can be read as, follows Go's encoding/json, which the clients of nats-server know.
 *
 * The functions deal with the value under the cursor (at the start: with the first one) and leave
 * the cursor at its end. Every value that is stepped on must be dealt with: read, walked or
 * skipped. null can be read as anything and changes nothing. The first mistake, in the text or by
 * the type of a value, makes the token JSON_BAD for good; so it is enough to ask at the end:
 *
 *     json_read_init(&r, text);
 *     while (json_read_member(&r)) {
 *         if (json_read_is_key(&r, STR("cid"))) {
 *             (void)json_read_uint(&r, &cid);
 *         } else {
 *             json_read_skip(&r);
 *         }
 *     }
 *     if (!json_read_end(&r)) {
 *         json_read_error(&r, &why);
 *
 * json_field.h does the same for all members of an object by a table. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

/** Objects and arrays inside each other. */
#define JSON_READ_MAX_DEPTH 10000

enum json_token {
    JSON_START, // nothing was read yet
    JSON_BAD,   // something is wrong, see json_read_error
    JSON_END,   // the text was read
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_KEY, // its value comes next
    JSON_OPEN_OBJECT,
    JSON_CLOSE_OBJECT,
    JSON_OPEN_ARRAY,
    JSON_CLOSE_ARRAY,
};

struct json_reader {
    struct str text; // borrowed
    size_t at;       // [bytes] read
    enum json_token token;
    struct str raw;    // NUMBER: as written, of any length; STRING, KEY: between quotes, escaped
    struct str key;    // of the member, as raw
    bool is_new;       // the value under the cursor has not been dealt with
    uint32_t depth;    // containers open
    const char *error; // BAD: what is wrong; static
    const char *field; // BAD: the field of a table that was read, or NULL; static
    uint64_t objects[JSON_READ_MAX_DEPTH / 64 + 1]; // a bit by depth: is the container an object
};

/* Thread, for all functions: the owner of the reader. */

/** Begin to read a text, which is borrowed while the reader is in use. */
void json_read_init(struct json_reader *r, struct str text);

/** Step to the next token, whichever it is. @return  the token; also in r->token */
enum json_token json_read_next(struct json_reader *r);

/** Step to the value of the next member of the object. @return  false: that was all, or BAD */
MUST_USE bool json_read_member(struct json_reader *r);

/** Step to the next value of the array. @return  false: that was all, or BAD */
MUST_USE bool json_read_element(struct json_reader *r);

/**
 * @param name  ASCII
 * @return      whether the member has this name, regardless of case as Unicode folds it
 */
bool json_read_is_key(const struct json_reader *r, struct str name);

/** Append the name of the member, unescaped as json_read_str does. */
void json_read_key(const struct json_reader *r, struct buf *out);

/**
 * Append a string, unescaped; what is no Unicode becomes U+FFFD.
 * @param out  NULL: it is enough that it is a string
 * @return     false: BAD
 */
MUST_USE bool json_read_str(struct json_reader *r, struct buf *out);

/** Read a number without fraction and exponent. @return  false: BAD */
MUST_USE bool json_read_int(struct json_reader *r, int64_t *out);

/** As json_read_int, for what is not negative. */
MUST_USE bool json_read_uint(struct json_reader *r, uint64_t *out);

/** Read true or false. @return  false: BAD */
MUST_USE bool json_read_bool(struct json_reader *r, bool *out);

/** Deal with a value that nobody wants. */
void json_read_skip(struct json_reader *r);

/** @return  whether nothing but white space is left, after a value that may still be to skip */
MUST_USE bool json_read_end(struct json_reader *r);

/** Refuse the value under the cursor: BAD from now on. @param error  static */
void json_read_refuse(struct json_reader *r, const char *error);

/** Append what is wrong and where, for people. The token is BAD. */
void json_read_error(const struct json_reader *r, struct buf *out);
