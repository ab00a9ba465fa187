/* SPDX-License-Identifier: Apache-2.0 */
/* The trie of tokens behind the subject index. No locks in here: index.c has them.
 *
 * One node per token where subjects part; a part of the tree that holds one subject only is not
 * built: its leaf hangs where it parts from the others, and the rest of its subject is compared at
 * once. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "broker/leaf.h"

struct gather;
struct sub;
struct trie_node;

struct trie {
    struct trie_node *root;
};

/** What a stored subject, which may be a pattern as well, has to do with a pattern. */
enum trie_relation {
    TRIE_COVERED, // the pattern matches whatever the stored one matches: "a.*" has "a.b" and "a.*"
    TRIE_OVERLAPS // some subject is matched by both: "a.*" has "*.b" and ">", too
};

/** Nodes at which a match stands after so many tokens of the subject. */
struct trie_front {
    struct trie_place *places;
    uint32_t n, cap;
};

/** Room for one match, kept for the next. Zero is empty. */
struct trie_walk {
    struct trie_front now, next;
};

/** Make an empty trie. Thread: the owner of the trie (as for all functions here). */
void trie_init(struct trie *t);

/** Free all nodes, and drop a reference of each subscription. */
void trie_deinit(struct trie *t);

/** Add a subscription with a valid subject. Takes no reference. */
void trie_add(struct trie *t, struct sub *s);

/**
 * Remove a subscription, and the nodes that lead to nothing then. Drops no reference.
 * @return  whether it was there
 */
bool trie_remove(struct trie *t, struct sub *s);

/** @return  the subscriptions with exactly this subject; an empty leaf if there are none */
struct leaf trie_find(const struct trie *t, struct str subject);

/**
 * Collect the leaves whose subjects match a published subject.
 * @param walk   room that nobody else uses meanwhile
 * @param found  empty; nothing is added when the subject has an empty token
 */
void trie_match(const struct trie *t, struct str subject, struct trie_walk *walk,
                struct gather *found);

/**
 * Look whether trie_match would find anything; stops at the first.
 * @param walk, found  room, as for trie_match; found is empty again afterwards
 */
bool trie_reaches(const struct trie *t, struct str subject, struct trie_walk *walk,
                  struct gather *found);

/**
 * The other way round: collect the leaves whose subjects have to do with a pattern. Visits only
 * nodes that do: with ">" last all that is below.
 * @param pattern  valid (proto/subject.h)
 * @param walk     room that nobody else uses meanwhile
 * @param found    empty
 */
void trie_reverse(const struct trie *t, struct str pattern, enum trie_relation relation,
                  struct trie_walk *walk, struct gather *found);

/** Release the room. */
void trie_walk_deinit(struct trie_walk *walk);
