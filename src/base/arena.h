/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is released all at once: what is read of a configuration file, for one. */
#pragma once

#include <stddef.h>

#include "base/str.h"

struct arena_block;

/** All zero: empty. */
struct arena {
    struct arena_block *blocks;
    size_t n_free; // [bytes] left in the first block
};

/** Release everything that came out of an arena. Thread: the owner (as for all functions here). */
void arena_deinit(struct arena *a);

/** @return  n bytes, zeroed and aligned for any type, which live as long as the arena */
void *arena_alloc(struct arena *a, size_t n);

/** @return  a copy of s, followed by a NUL that does not count, which lives as long as the arena */
struct str arena_str(struct arena *a, struct str s);
