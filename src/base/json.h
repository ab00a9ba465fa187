/* SPDX-License-Identifier: Apache-2.0 */
/* A streaming JSON writer: documents are built front to back in a struct buf, nothing is kept but
 * the answer to "does a comma come first". Strings are escaped like Go's encoding/json does it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct json {
    struct buf *out;  // borrowed
    bool needs_comma; // something precedes at this level
};

/* Thread, for all functions: the owner of the buffer. */

/** @return  a writer that appends to out. */
static inline struct json json_to(struct buf *out)
{
    return (struct json){.out = out};
}

/** Begin an object: as a value, an array element, or the document. */
void json_open_object(struct json *j);

/** End the object. */
void json_close_object(struct json *j);

/** Begin an array. */
void json_open_array(struct json *j);

/** End the array. */
void json_close_array(struct json *j);

/** Write the name of a member; its value comes next. */
void json_key(struct json *j, const char *key);

/** Write a string value; bytes that are not UTF-8 become U+FFFD. */
void json_str(struct json *j, struct str value);

/** Write a signed number. */
void json_int(struct json *j, int64_t value);

/** Write an unsigned number. */
void json_uint(struct json *j, uint64_t value);

/** Write a number that may have a fraction, with as few digits as say which it is. @param value
 * finite */
void json_real(struct json *j, double value);

/** Write true or false. */
void json_bool(struct json *j, bool value);

/** Write text that is JSON already. */
void json_raw(struct json *j, struct str json);

/** Write a member with a string value. */
void json_add_str(struct json *j, const char *key, struct str value);

/** Write a member with a signed number. */
void json_add_int(struct json *j, const char *key, int64_t value);

/** Write a member with an unsigned number. */
void json_add_uint(struct json *j, const char *key, uint64_t value);

/** Write a member with a number that may have a fraction. */
void json_add_real(struct json *j, const char *key, double value);

/** Write a member that is true or false. */
void json_add_bool(struct json *j, const char *key, bool value);

/** Write a member with a point in time, as RFC 3339 in UTC. @param wall_ns  since 1970 */
void json_add_time(struct json *j, const char *key, int64_t wall_ns);

/* As json_add_x, but nothing at all for "", 0 and false (Go's omitempty). */

/** Write a member with a string value unless it is empty. */
void json_opt_str(struct json *j, const char *key, struct str value);

/** Write a member with a signed number unless it is 0. */
void json_opt_int(struct json *j, const char *key, int64_t value);

/** Write a member with an unsigned number unless it is 0. */
void json_opt_uint(struct json *j, const char *key, uint64_t value);

/** Write a member that is true, or nothing. */
void json_opt_bool(struct json *j, const char *key, bool value);

/** Write a member whose value is JSON already, unless that is empty. */
void json_opt_raw(struct json *j, const char *key, struct str json);
