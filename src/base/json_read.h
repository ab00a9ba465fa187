/* SPDX-License-Identifier: Apache-2.0 */
/* A strict JSON reader: a cursor that steps through a text token by token. It builds no tree, does
 * not recurse, and allocates nothing but the strings it is asked for. What is JSON, and what a value
 * can be read as, follows Go's encoding/json, which the clients of nats-server know.
 *
 * The functions deal with the value under the cursor (at the start: with the first one) and leave
 * the cursor at its end. Every value that is stepped on must be dealt with: read, walked or skipped.
 * null can be read as anything and changes nothing. The first mistake, in the text or by the type of
 * a value, makes the token JSON_BAD for good; so it is enough to ask at the end:
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
 * The same by a table: json_read_fields(&r, rows, n_rows, &cid_and_more). */
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
    struct str raw;     // NUMBER: as written, of any length; STRING, KEY: between quotes, escaped
    struct str key;     // of the member, as raw
    bool is_new;        // the value under the cursor has not been dealt with
    uint32_t depth;     // containers open
    const char *error;  // BAD: what is wrong; static
    const char *field;  // BAD: the field that it was read for, or NULL; static
    uint64_t objects[JSON_READ_MAX_DEPTH / 64 + 1]; // a bit by depth: is the container an object
};

/* Thread, for all functions: the owner of the reader. */

/** Begin to read a text, which is borrowed while the reader is in use. */
void json_read_init(struct json_reader *r, struct str text);

/** Step to the next token, whichever it is. @return  the token; also in r->token */
enum json_token json_read_next(struct json_reader *r);

/** Step to the value of the object's next member. @return  false: that was all, or BAD */
MUST_USE bool json_read_member(struct json_reader *r);

/** Step to the next value of the array. @return  false: that was all, or BAD */
MUST_USE bool json_read_element(struct json_reader *r);

/**
 * @param name  ASCII
 * @return      whether the member has this name, regardless of case as Unicode folds it
 */
bool json_read_is_key(const struct json_reader *r, struct str name);

/** Append the key of the member, unescaped. */
void json_read_key(const struct json_reader *r, struct buf *out);

/** Append a string, unescaped; what is no Unicode becomes U+FFFD. @return  false: BAD */
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

/* ---- objects by table ---- */

enum json_field_kind {
    JSON_FIELD_BOOL,  // bool
    JSON_FIELD_INT,   // int64_t
    JSON_FIELD_UINT,  // uint64_t
    JSON_FIELD_STR,   // struct str that owns its bytes; give it back with json_field_free
    JSON_FIELD_OTHER, // read by a function
};

/** A member that an object may have, and where its value goes. */
struct json_field {
    const char *name; // ASCII
    enum json_field_kind kind;
    size_t offset; // in the struct to fill
    /** OTHER: deals with the value, which is not null; at points to the field. False: BAD. */
    bool (*read)(struct json_reader *r, void *at);
};

/** A row for a field of a struct, which must be of the type that the kind wants. */
#define JSON_FIELD(name_, strct, field_)                                                           \
    {.name = (name_), .offset = offsetof(strct, field_),                                           \
     .kind = _Generic(((strct *)0)->field_, bool: JSON_FIELD_BOOL, int64_t: JSON_FIELD_INT,        \
                      uint64_t: JSON_FIELD_UINT, struct str: JSON_FIELD_STR)}

/**
 * Read an object into a struct. Members without a row are skipped, null changes nothing, of equal
 * names the last one counts. Strings that the struct holds already are replaced.
 * @param to  zero, or filled before. After BAD it may be filled in part
 * @return    false: BAD
 */
MUST_USE bool json_read_fields(struct json_reader *r, const struct json_field *fields,
                               size_t n_fields, void *to);

/** Release the bytes of a JSON_FIELD_STR, which becomes empty. */
void json_field_free(struct str *s);
