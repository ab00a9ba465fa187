/* SPDX-License-Identifier: Apache-2.0 */
/* The links of a node of the trie (broker/trie_priv.h) to its literal tokens: a set of pointers
 * (base/ptrset.h), or many once it is large. As all workers wait while a table is resized, none
 * may become so large that it takes long: a node with a million children is 256 tables, each of
 * which grows by itself and stays below the size at which elements are asked for their hash.
 * Thread: who holds the index. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/mem.h"
#include "base/ptrset.h"

#define CHILDREN_FEW 3072u // so many are in one set: 4,096 slots, three quarters full
#define CHILDREN_SETS 256u // after that, chosen by bits of the hash that the sets do not use
#define CHILDREN_SHIFT 16

struct children_many {
    uint32_t n; // in all of them
    struct ptrset sets[CHILDREN_SETS];
};

/** Zero is empty. */
struct children {
    struct ptrset few;          // all of them, unless there are many
    struct children_many *many; // or NULL
};

/** Where a walk over all children stands. Zero is the start. */
struct children_at {
    uint32_t set, slot;
};

/** @return  number of children. */
static inline uint32_t children_count(const struct children *c)
{
    return c->many ? c->many->n : c->few.n;
}

/** @return  the set for a hash; internal. */
ALWAYS_INLINE struct ptrset *children_set(struct children *c, uint64_t hash)
{
    return c->many ? &c->many->sets[hash >> CHILDREN_SHIFT & (CHILDREN_SETS - 1)] : &c->few;
}

/** The same, to look at. */
ALWAYS_INLINE const struct ptrset *children_look(const struct children *c, uint64_t hash)
{
    return c->many ? &c->many->sets[hash >> CHILDREN_SHIFT & (CHILDREN_SETS - 1)] : &c->few;
}

/** Release the memory; the children are not touched. */
static inline void children_deinit(struct children *c)
{
    for (uint32_t i = 0; c->many && i < CHILDREN_SETS; i++) {
        ptrset_deinit(&c->many->sets[i]);
    }
    mem_free(c->many);
    ptrset_deinit(&c->few);
    c->many = NULL;
}

/** @return  the next child, NULL after the last; in no order. No child comes or goes meanwhile. */
static inline void *children_next(const struct children *c, struct children_at *at)
{
    if (!c->many) {
        return ptrset_next(&c->few, &at->slot);
    }
    for (; at->set < CHILDREN_SETS; at->set++, at->slot = 0) {
        void *child = ptrset_next(&c->many->sets[at->set], &at->slot);

        if (child) {
            return child;
        }
    }
    return NULL;
}

/** Put all children elsewhere: into many sets, or back into one; internal. */
static inline void children_move(struct children *c, bool to_many, ptrset_hash_fn hash_of,
                                 const void *arg)
{
    struct children to = {.many = to_many ? mem_zalloc(sizeof(*to.many)) : NULL};
    struct children_at at = {0};

    for (void *child; (child = children_next(c, &at)) != NULL;) {
        uint64_t hash = hash_of(child, arg);

        ptrset_add(children_set(&to, hash), hash, child, hash_of, arg);
    }
    if (to_many) {
        to.many->n = children_count(c);
    }
    children_deinit(c);
    *c = to;
}

/** Add a child that is not there; arguments as for ptrset_add. */
ALWAYS_INLINE void children_add(struct children *c, uint64_t hash, void *child,
                                ptrset_hash_fn hash_of, const void *arg)
{
    if (UNLIKELY(c->few.n == CHILDREN_FEW)) {
        children_move(c, true, hash_of, arg);
    }
    ptrset_add(children_set(c, hash), hash, child, hash_of, arg);
    if (c->many) {
        c->many->n++;
    }
}

/** Remove a child that is there; arguments as for ptrset_remove. */
ALWAYS_INLINE void children_remove(struct children *c, uint64_t hash, const void *child,
                                   ptrset_hash_fn hash_of, const void *arg)
{
    ptrset_remove(children_set(c, hash), hash, child, hash_of, arg);
    if (c->many && --c->many->n < CHILDREN_FEW / 4) {
        children_move(c, false, hash_of, arg);
    }
}
