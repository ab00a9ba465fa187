/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns, each with a value, of which the most specific one is found that matches a subject. Made
 * once and then asked.
 *
 * Cost: a question visits the tokens of its subject, however many patterns there are; where these
 * have "*" beside literal tokens it may have to go both ways. */
#pragma once

#include "base/ptrset.h"
#include "base/str.h"

struct pattern_node;

/** Zero is empty. */
struct pattern_tree {
    struct pattern_node *root; // NULL: no patterns
    struct ptrset edges;       // all nodes that a literal token leads to, by parent and token
};

/** Free what is in the tree, but no values. Thread: the owner of the tree. */
void pattern_tree_deinit(struct pattern_tree *tree);

/**
 * Add a valid subject, copied. A token that only begins with "*" matches as "*" does, as
 * nats-server has it. Of patterns that match the same the first one counts.
 * @param value  not NULL; borrowed by the tree
 * Thread: the owner of the tree.
 */
void pattern_tree_add(struct pattern_tree *tree, struct str pattern, const void *value);

/**
 * @return  the value of the most specific pattern for a published subject: the leftmost token that
 *          differs decides, literal before "*" before ">"; NULL: none matches. A token that is
 *          empty or ">" is no "*".
 * Thread: any, nobody adds meanwhile.
 */
const void *pattern_tree_find(const struct pattern_tree *tree, struct str subject);
