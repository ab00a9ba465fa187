/* SPDX-License-Identifier: Apache-2.0 */
/* A hash set of pointers to things that know their own key: 8 bytes a slot, power-of-two size,
 * linear probing, deletion by shifting back, no allocation while empty.
 *
 * A slot holds the pointer in its low 48 bits and the low 16 bits of the element's hash above them.
 * So a probe looks at elements only when those bits agree, and a table of up to 65,536 slots is
 * resized without looking at any; above, the hash is asked of the element again. The low bits of a
 * pointer are the caller's: the set never follows it. User addresses have 47 or 48 bits on all our
 * platforms, which is checked. Leak checkers do not see pointers in here: empty a set before its
 * owner goes. A large table takes some 50 ns an element to be resized, all at once.
 *
 * The functions given as arguments should be static inline in the caller: all calls of them inline.
 * Elements may repeat; whoever does not want that looks first.
 * Thread: the owner of the set, for all functions; readers may share it while nobody writes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/mem.h"

#define PTRSET_MIN_CAP 4u
#define PTRSET_SHIFT 48    // [bits] of the pointer in a slot
#define PTRSET_TAG 0xffffu // the bits of the hash in a slot
#define PTRSET_AHEAD 16u   // slots that a resize fetches ahead

struct ptrset {
    uint64_t *slots; // cap of them, 0: free; NULL while the set is empty
    uint32_t n;      // elements
    uint32_t cap;    // a power of two, or 0
};

/** @return  the hash of an element, the same for its whole stay; the low 32 bits are used. */
typedef uint64_t (*ptrset_hash_fn)(const void *element, const void *arg);
/** @return  whether the element is the one that `key` names. */
typedef bool (*ptrset_equal_fn)(const void *element, const void *key);

/** @return  a hash of the pointer itself, for sets in which the pointer is the key. */
static inline uint64_t ptrset_hash_pointer(const void *element, const void *arg)
{
    uint64_t h = (uint64_t)(uintptr_t)element * UINT64_C(0x9e3779b97f4a7c15);

    (void)arg;
    return h >> 32;
}

/** @return  the pointer in a slot; internal, as all that is named ptrset_slot_*. */
ALWAYS_INLINE void *ptrset_slot_pointer(uint64_t slot)
{
    return (void *)(uintptr_t)(slot & ((UINT64_C(1) << PTRSET_SHIFT) - 1));
}

/** @return  the slot of an element. */
ALWAYS_INLINE uint64_t ptrset_slot_make(uint64_t hash, const void *element)
{
    uint64_t bits = (uint64_t)(uintptr_t)element;

    ENSURE(bits != 0 && bits >> PTRSET_SHIFT == 0);
    return (hash & PTRSET_TAG) << PTRSET_SHIFT | bits;
}

/** @return  where a filled slot would like to be in a table of mask + 1 slots. */
ALWAYS_INLINE uint32_t ptrset_slot_home(uint64_t slot, uint32_t mask, ptrset_hash_fn hash_of,
                                        const void *arg)
{
    uint64_t hash =
        mask <= PTRSET_TAG ? slot >> PTRSET_SHIFT : hash_of(ptrset_slot_pointer(slot), arg);

    return (uint32_t)hash & mask;
}

/** Release the memory; the set is empty then. The elements are not touched. */
static inline void ptrset_deinit(struct ptrset *set)
{
    mem_free(set->slots);
    *set = (struct ptrset){0};
}

/** Have the slots fetched that a find for this hash will look at. */
ALWAYS_INLINE void ptrset_prefetch(const struct ptrset *set, uint64_t hash)
{
    if (set->n) {
        __builtin_prefetch(&set->slots[(uint32_t)hash & (set->cap - 1)]);
    }
}

/**
 * @param hash  of the key, as hash_of says for the element
 * @return      the first element for which equal(element, key), or NULL
 */
ALWAYS_INLINE void *ptrset_find(const struct ptrset *set, uint64_t hash, ptrset_equal_fn equal,
                                const void *key)
{
    uint32_t mask = set->cap - 1;
    uint64_t slot;

    if (!set->n) {
        return NULL;
    }
    for (uint32_t i = (uint32_t)hash & mask; (slot = set->slots[i]) != 0; i = (i + 1) & mask) {
        if (slot >> PTRSET_SHIFT == (hash & PTRSET_TAG) && equal(ptrset_slot_pointer(slot), key)) {
            return ptrset_slot_pointer(slot);
        }
    }
    return NULL;
}

/** @return  the slot that holds this very element, or NULL; internal. */
ALWAYS_INLINE uint64_t *ptrset_slot_of(const struct ptrset *set, uint64_t hash, const void *element)
{
    uint64_t wanted = ptrset_slot_make(hash, element);
    uint32_t mask = set->cap - 1;

    if (!set->n) {
        return NULL;
    }
    for (uint32_t i = (uint32_t)hash & mask; set->slots[i] != 0; i = (i + 1) & mask) {
        if (set->slots[i] == wanted) {
            return &set->slots[i];
        }
    }
    return NULL;
}

/** Move all elements to a table of `cap` slots; internal. */
ALWAYS_INLINE void ptrset_slot_resize(struct ptrset *set, uint32_t cap, ptrset_hash_fn hash_of,
                                      const void *arg)
{
    uint64_t *slots = mem_zalloc(cap * sizeof(*slots));
    uint32_t mask = cap - 1;

    for (uint32_t i = 0; i < set->cap; i++) {
        uint64_t slot = set->slots[i];

        if (mask > PTRSET_TAG && i + PTRSET_AHEAD < set->cap && set->slots[i + PTRSET_AHEAD]) {
            const char *ahead = ptrset_slot_pointer(set->slots[i + PTRSET_AHEAD]);

            __builtin_prefetch(ahead);
            __builtin_prefetch(ahead + CACHE_LINE_BYTES);
        }
        if (slot) {
            uint32_t to = ptrset_slot_home(slot, mask, hash_of, arg);

            while (slots[to]) {
                to = (to + 1) & mask;
            }
            slots[to] = slot;
        }
    }
    mem_free(set->slots);
    set->slots = slots;
    set->cap = cap;
}

/**
 * Add an element; not NULL. Amortised O(1): the table doubles when three quarters are full.
 * @param hash  of the element, as hash_of says
 * @param arg   handed to hash_of
 */
ALWAYS_INLINE void ptrset_add(struct ptrset *set, uint64_t hash, void *element,
                              ptrset_hash_fn hash_of, const void *arg)
{
    uint64_t slot = ptrset_slot_make(hash, element);
    uint32_t i;

    if (UNLIKELY(set->n >= set->cap - set->cap / 4)) {
        ENSURE(set->cap <= UINT32_MAX / 4);
        ptrset_slot_resize(set, set->cap ? set->cap * 2 : PTRSET_MIN_CAP, hash_of, arg);
    }
    i = (uint32_t)hash & (set->cap - 1);
    while (set->slots[i]) {
        i = (i + 1) & (set->cap - 1);
    }
    set->slots[i] = slot;
    set->n++;
}

/** Put `with` in the place of `element`, both of this hash. @return  whether `element` was
 * there. */
ALWAYS_INLINE bool ptrset_replace(struct ptrset *set, uint64_t hash, const void *element,
                                  const void *with)
{
    uint64_t *slot = ptrset_slot_of(set, hash, element);

    if (slot) {
        *slot = ptrset_slot_make(hash, with);
    }
    return slot != NULL;
}

/**
 * Remove this very element (the pointers are compared). Amortised O(1): the table halves when seven
 * eighths are free, and the last one releases it.
 * @return  whether it was there
 */
ALWAYS_INLINE bool ptrset_remove(struct ptrset *set, uint64_t hash, const void *element,
                                 ptrset_hash_fn hash_of, const void *arg)
{
    uint64_t *slot = ptrset_slot_of(set, hash, element);
    uint32_t mask = set->cap - 1;
    uint32_t gap;

    if (!slot) {
        return false;
    }
    if (set->n == 1) {
        ptrset_deinit(set);
        return true;
    }
    gap = (uint32_t)(slot - set->slots);
    for (uint32_t i = (gap + 1) & mask; set->slots[i]; i = (i + 1) & mask) {
        uint32_t home = ptrset_slot_home(set->slots[i], mask, hash_of, arg);

        if (((i - home) & mask) >= ((i - gap) & mask)) { // may move to the gap: not before its home
            set->slots[gap] = set->slots[i];
            gap = i;
        }
    }
    set->slots[gap] = 0;
    set->n--;
    if (set->cap > PTRSET_MIN_CAP && set->n < set->cap / 8) {
        ptrset_slot_resize(set, set->cap / 2, hash_of, arg);
    }
    return true;
}

/**
 * Walk over the elements, in no order; the set must not change meanwhile.
 * @param at  in, out: where to go on; 0 at the start
 * @return    the next element, NULL after the last
 */
ALWAYS_INLINE void *ptrset_next(const struct ptrset *set, uint32_t *at)
{
    while (*at < set->cap) {
        uint64_t slot = set->slots[(*at)++];

        if (slot) {
            return ptrset_slot_pointer(slot);
        }
    }
    return NULL;
}
