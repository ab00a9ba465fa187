/* SPDX-License-Identifier: Apache-2.0 */
/* JSON objects read by a table: a row for each member that is of interest, next to the struct that
 * the values go to. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/json_read.h"
#include "base/str.h"

enum json_field_kind {
    JSON_FIELD_BOOL,  // bool
    JSON_FIELD_INT,   // int64_t
    JSON_FIELD_UINT,  // uint64_t
    JSON_FIELD_STR,   // struct str that owns its bytes; given back by json_field_free
    JSON_FIELD_OTHER, // read by a function
};

struct json_field {
    const char *name; // ASCII; members match regardless of case
    enum json_field_kind kind;
    size_t offset; // of the field in its struct
    /** OTHER: deals with the value under the cursor, which is not null; at: the field. */
    bool (*read)(struct json_reader *r, void *at);
};

/** A row for a field; the type of the field is the kind. */
#define JSON_FIELD(name_, strct, field)                                                            \
    {.name = (name_),                                                                              \
     .kind = _Generic(((strct *)0)->field,                                                         \
         bool: JSON_FIELD_BOOL,                                                                    \
         int64_t: JSON_FIELD_INT,                                                                  \
         uint64_t: JSON_FIELD_UINT,                                                                \
         struct str: JSON_FIELD_STR),                                                              \
     .offset = offsetof(strct, field)}

/** A row for a field that a function reads. */
#define JSON_FIELD_BY(name_, strct, field, read_)                                                  \
    {.name = (name_), .kind = JSON_FIELD_OTHER, .offset = offsetof(strct, field), .read = (read_)}

/**
 * Read the object under the cursor into a struct. null changes nothing, neither the whole nor a
 * member; members without a row are skipped; of members with the same name the last one stays.
 * @param to  zero, or filled before: strings are replaced. After false it may be filled in part
 * @return    false: the reader is BAD
 * Thread: the owner of both.
 */
MUST_USE bool json_field_read_all(struct json_reader *r, const struct json_field *fields,
                                  size_t n_fields, void *to);

/**
 * Read a text that is one object, or null, and nothing else.
 * @param to   as above
 * @param why  gets what is wrong, for people
 * @return     whether nothing is
 * Thread: the owner of both.
 */
MUST_USE bool json_field_read_text(struct str text, const struct json_field *fields,
                                   size_t n_fields, void *to, struct buf *why);

/**
 * Release the bytes of a string field, which becomes empty.
 * Thread: the owner.
 */
void json_field_free(struct str *field);
