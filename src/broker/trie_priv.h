/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes and links of the trie of tokens, for those who change it (trie.c) and those who search it
 * (trie_walk.c). A link is 0, a leaf (tags in its low bits), or the address of a node: nodes exist
 * only where at least two subjects went the same way. A node holds its own token but not the path
 * to it: all subjects below share that path, so the place of a token in them is the same for all,
 * and is counted on the way down. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/ptrset.h"
#include "base/str.h"
#include "broker/children.h"
#include "broker/leaf.h"
#include "proto/subject.h"

struct trie_node {
    struct children children; // links of literal tokens; their hash is that of the token
    uintptr_t star;           // link of "*"
    struct leaf rest;         // subject ends below with ">"
    struct leaf here;         // subject ends with this token
    uint32_t token_n;
    char token[];
};

/** The n bytes of the subject of leaf or node at `at` that are to be compared, as the key of a
 * find. */
struct trie_key {
    struct str token;
    size_t at;
};

/** @return  whether the link is a leaf; 0 is none. Thread: any that holds the index (as for all
 * here). */
static inline bool trie_link_is_leaf(uintptr_t link)
{
    return (link & LEAF_TAGS) != 0;
}

/** @return  the node of a link that is not a leaf. */
static inline struct trie_node *trie_link_node(uintptr_t link)
{
    return (struct trie_node *)link;
}

/** @return  the token of a node. */
static inline struct str trie_node_token(const struct trie_node *node)
{
    return (struct str){.p = node->token, .n = node->token_n};
}

/** @return  the token at byte `at` of the subjects below a link, by which it is reached. */
static inline struct str trie_link_token(uintptr_t link, size_t at)
{
    struct str rest;

    if (!trie_link_is_leaf(link)) {
        return trie_node_token(trie_link_node(link));
    }
    rest = leaf_subject((struct leaf){.bits = link});
    rest.p += at;
    rest.n -= at;
    return subject_next_token(&rest);
}

/** @return  whether a link of a literal token has the token of the struct trie_key; for
 * ptrset_find. */
static inline bool trie_child_is(const void *element, const void *arg)
{
    uintptr_t link = (uintptr_t)element;
    const struct trie_key *key = arg;
    struct str subject;

    if (!trie_link_is_leaf(link)) {
        return str_equal(trie_node_token(trie_link_node(link)), key->token);
    }
    subject = leaf_subject((struct leaf){.bits = link});
    subject.p += key->at;
    subject.n -= key->at;
    return str_starts_with(subject, key->token) &&
           (subject.n == key->token.n || subject.p[key->token.n] == '.');
}

/**
 * @param hash  of the token
 * @param at    [bytes] before the token in the subjects below the node
 * @return      the link of a literal token, or 0
 */
ALWAYS_INLINE uintptr_t trie_find_child(const struct trie_node *node, uint64_t hash,
                                        struct str token, size_t at)
{
    struct trie_key key = {.token = token, .at = at};

    return (uintptr_t)ptrset_find(children_look(&node->children, hash), hash, trie_child_is, &key);
}
