/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of configurations and what is read from them. */
#pragma once

#include <stddef.h>

#include "base/str.h"
#include "conf/node.h"

struct conf_row {
    struct str text;
    struct str want; // the tree as conf_rows_print has it, or "!" and the message
};

/** A row; both are literals, NUL bytes in them count. */
#define CONF_ROW(text_, want_) {STR_INIT(text_), STR_INIT(want_)}

/** Parse every text as "t.conf"; fails where the result is not what is wanted. Thread: main. */
void conf_rows_check(const struct conf_row *rows, size_t n);

/** Append a tree: {a: 1, b: [1.5, "x", true, @0]}, keys in the order of the file. Thread: main. */
void conf_rows_print(const struct node *n, struct buf *out);
