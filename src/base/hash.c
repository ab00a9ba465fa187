/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded XXH3 (libxxhash); the seed is written once, before threads exist. */
#include "base/hash.h"

#include <sys/random.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t g_seed;

void hash_init(void)
{
    if (getrandom(&g_seed, sizeof(g_seed), 0) != sizeof(g_seed)) {
        g_seed ^= (uint64_t)(uintptr_t)&g_seed;
    }
}

uint64_t hash_bytes(const char *p, size_t n)
{
    return XXH3_64bits_withSeed(p, n, g_seed);
}
