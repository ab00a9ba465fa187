/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of values while it is being built. A key waits on a stack until its value is complete; so
 * do the maps and arrays that are open. The stacks are separate, and may get out of step: a pair
 * without a value at the end of a map ("a { b }") leaves its key to that map, as in the reference.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"
#include "conf/node.h"

struct open_node;
struct open_key;

struct builder {
    struct arena *arena;     // borrowed; all nodes come from it
    struct open_node *nodes; // innermost first; the root is last
    struct open_key *keys;
};

/* Thread, for all functions: the owner. */

/** Begin with an empty map. Release with builder_deinit. @return  it, which is the root */
struct node *builder_init(struct builder *b, struct arena *arena);

/** Release what the builder holds; the nodes stay. What is still open is not part of the tree. */
void builder_deinit(struct builder *b);

/** The key of a value that comes. */
void builder_add_key(struct builder *b, struct str name, const struct diag_place *at);

/** Add a value to what is open. In a map it gets the key that waits, and its place. */
void builder_add(struct builder *b, const struct node *value);

/** Put a value that has a key into the innermost map; the last one of a name wins. */
void builder_put(struct builder *b, const struct node *value);

/** Begin a map or an array. */
void builder_open(struct builder *b, enum node_kind kind);

/** The innermost map or array, which is not the root, is complete. */
void builder_close(struct builder *b, const struct diag_place *at);

/**
 * Find what a variable means at this point: keys of maps that are open, from the innermost on.
 * @return  NULL: nothing
 */
struct node *builder_find(const struct builder *b, struct str name);
