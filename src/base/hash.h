/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing of byte strings: XXH3 with a seed drawn at start, so that nobody outside can choose
 * colliding names. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/**
 * Draw the seed; once, before the first hash.
 * Thread: main, before others start.
 */
void hash_init(void);

/** @return  a hash of the bytes, well mixed in all bits. Thread: any. */
uint64_t hash_bytes(const char *p, size_t n);

/** @return  a hash of the slice. Thread: any. */
static inline uint64_t hash_str(struct str s)
{
    return hash_bytes(s.p, s.n);
}
