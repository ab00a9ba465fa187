/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration file says, as a tree of values with their places (spec 03 A). Everything in
 * a tree lives in the arena of its struct conf_tree. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/str.h"

enum node_kind {
    NODE_STR,
    NODE_BOOL,
    NODE_INT,
    NODE_FLOAT,
    NODE_DATE,
    NODE_ARRAY,
    NODE_MAP,
};

struct node {
    enum node_kind kind;
    bool is_variable;     // was referred to as $key: may be unknown as an option
    struct diag_place at; // of the key, or of the element of an array; no file: it came out of an
                          // environment variable
    struct str key;       // in a map, as written
    struct node *next;    // the next one in the same map or array
    union {
        struct str text; // STR
        bool truth;      // BOOL
        int64_t number;  // INT
        double real;     // FLOAT
        int64_t date_s;  // DATE [s] since 1970, UTC
        // ARRAY, MAP: in the order of the file; of a key that comes twice, the last value is kept,
        // with its place
        struct {
            struct node *first, *last;
        };
    };
};

struct conf_tree {
    struct arena arena;
    struct node *root; // a MAP
};

/** Find a key of a map without regard to case. @return  NULL: there is none. Thread: any. */
const struct node *node_find(const struct node *map, struct str key);

/** @return  the name of a kind as the reference's messages have it: "string", "int64", … (A15) */
const char *node_kind_name(enum node_kind kind);

/** Append a value for a message: strings without quotes, arrays in brackets. Thread: any. */
void node_print(const struct node *n, struct buf *out);
