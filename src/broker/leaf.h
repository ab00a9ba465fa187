/* SPDX-License-Identifier: Apache-2.0 */
/* All subscriptions of an index that have the same subject: a tagged word. Most subjects have one
 * subscription, which then is the leaf; several, and members of queue groups, share a struct
 * bag. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ptrset.h"
#include "base/str.h"
#include "broker/sub.h"

/** Tags in the low bits of a leaf. */
#define LEAF_SUB ((uintptr_t)1) // a struct sub
#define LEAF_BAG ((uintptr_t)2) // a struct bag
#define LEAF_TAGS ((uintptr_t)3)

struct leaf {
    uintptr_t bits; // 0: no subscription
};

/** A queue group on one subject. */
struct bag_group {
    struct ptrset members; // of struct sub
    uint32_t queue_n;
    char queue[];
};

/** Subscriptions to one subject. */
struct bag {
    struct ptrset plain;  // of struct sub
    struct ptrset groups; // of struct bag_group
    uint32_t subject_n;
    char subject[];
};

/** @return  whether the leaf is one subscription. Thread: any that holds the index (as for all
 * here). */
static inline bool leaf_is_sub(struct leaf l)
{
    return (l.bits & LEAF_SUB) != 0;
}

/** @return  the one subscription of such a leaf. */
static inline struct sub *leaf_sub(struct leaf l)
{
    return (struct sub *)(l.bits & ~LEAF_TAGS);
}

/** @return  the bag of a leaf that is not empty and not one subscription. */
static inline struct bag *leaf_bag(struct leaf l)
{
    return (struct bag *)(l.bits & ~LEAF_TAGS);
}

/** @return  the subject of a leaf that is not empty, borrowed until the leaf changes. */
static inline struct str leaf_subject(struct leaf l)
{
    if (leaf_is_sub(l)) {
        return sub_subject(leaf_sub(l));
    }
    return (struct str){.p = leaf_bag(l)->subject, .n = leaf_bag(l)->subject_n};
}

/** @return  the leaf with s in it: O(1), amortised. Takes no reference. Locks: the index
 * (write). */
struct leaf leaf_add(struct leaf l, struct sub *s);

/**
 * Take s out of *l; the leaf may be empty then. O(1), amortised. Drops no reference.
 * @return  whether it was there
 * Locks: the index (write).
 */
bool leaf_remove(struct leaf *l, struct sub *s);

/**
 * @param queue  empty: subscriptions that are in no queue group
 * @return       so many subscriptions of the leaf have this queue. O(1)
 */
uint32_t leaf_count(struct leaf l, struct str queue);

/** Called with each queue name of a leaf; the empty one if some subscriptions have none. */
typedef void (*leaf_queue_fn)(struct str subject, struct str queue, void *arg);

/** Call fn for each queue name of a leaf, once. */
void leaf_each_queue(struct leaf l, leaf_queue_fn fn, void *arg);

/** Free a leaf, and drop a reference of each of its subscriptions. Locks: the index (write). */
void leaf_free(struct leaf l);
