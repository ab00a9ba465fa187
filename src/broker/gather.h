/* SPDX-License-Identifier: Apache-2.0 */
/* From the leaves that a subject reaches to a match: counted subscriptions, plain ones first, then
 * the members of the queue groups, those of one name together whatever subject they subscribed
 * to. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "broker/leaf.h"

struct gather_share;
struct sub;
struct match;

/** Leaves found so far, and room to sort queue groups; kept from match to match. Zero is empty. */
struct gather {
    struct leaf *leaves;
    uint32_t n_leaves, leaves_cap;
    uint32_t shares_cap;
    struct gather_share *shares;
};

/** Release the memory. Thread: the owner (as for all functions here). */
void gather_deinit(struct gather *g);

/** Make room for more leaves; internal to gather_add. */
void gather_grow(struct gather *g);

/** Note a leaf; an empty one is allowed. Locks: the index (read), until gather_take. */
static inline void gather_add(struct gather *g, struct leaf l)
{
    if (!l.bits) {
        return;
    }
    if (UNLIKELY(g->n_leaves == g->leaves_cap)) {
        gather_grow(g);
    }
    g->leaves[g->n_leaves++] = l;
}

/** Forget the leaves; much room for them is not kept. */
void gather_forget(struct gather *g);

/** @return  whether a subscription is to be counted. */
typedef bool (*gather_counts_fn)(const struct sub *s);

/**
 * Count the subscriptions of the leaves and forget them.
 * @param queue   count the members of this queue group only; empty: all, whatever their queue
 * @param counts  NULL: all
 */
uint64_t gather_count(struct gather *g, struct str queue, gather_counts_fn counts);

/**
 * Make a match of the leaves and forget them.
 * @return  owned by the caller (match_free); NULL if there were none
 */
MUST_USE struct match *gather_take(struct gather *g);
