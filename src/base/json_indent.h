/* SPDX-License-Identifier: Apache-2.0 */
/* Compact JSON for people to read: a line for each member and element, as Go's MarshalIndent prints
 * it. The text may come in pieces, cut anywhere. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/** All zero, but for `width`: nothing has come. */
struct json_indent {
    uint8_t width;     // [spaces] of a level; 0: the text stays as it is
    uint32_t depth;    // containers open
    bool is_opening;   // the last byte opened a container, whose first line has not begun
    bool is_in_string; // between quotes
    bool is_escaped;   // there, behind a backslash
};

/**
 * Append a piece of JSON in lines.
 * @param text  what comes next of a text without white space between its tokens
 * Thread: the owner of both.
 */
void json_indent_add(struct json_indent *i, struct str text, struct buf *out);
