/* SPDX-License-Identifier: Apache-2.0 */
/* Copying and comparing short byte strings without a call: the delivery path does little of it at a
 * time, very often. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

/** A fixed-size piece, copied with a load and a store; may overlap the previous one. */
ALWAYS_INLINE void copy_piece(char *to, const char *from, size_t n, size_t piece)
{
    char first[16];
    char last[16];

    memcpy(first, from, piece);
    memcpy(last, from + n - piece, piece);
    memcpy(to, first, piece);
    memcpy(to + n - piece, last, piece);
}

/**
 * As memcpy, fastest up to 32 bytes: two overlapping pieces, none of them outside the n bytes.
 * @return  the byte after the copy
 * Thread: any.
 */
ALWAYS_INLINE char *copy_bytes(char *to, const char *from, size_t n)
{
    if (n > 32) {
        memcpy(to, from, n);
    } else if (n >= 16) {
        copy_piece(to, from, n, 16);
    } else if (n >= 8) {
        copy_piece(to, from, n, 8);
    } else if (n >= 4) {
        copy_piece(to, from, n, 4);
    } else {
        for (size_t i = 0; i < n; i++) {
            to[i] = from[i];
        }
    }
    return to + n;
}

/** @return  whether the first or last `piece` bytes of n differ. */
ALWAYS_INLINE bool piece_differs(const char *a, const char *b, size_t n, size_t piece)
{
    uint64_t first_a = 0;
    uint64_t first_b = 0;
    uint64_t last_a = 0;
    uint64_t last_b = 0;

    memcpy(&first_a, a, piece);
    memcpy(&first_b, b, piece);
    memcpy(&last_a, a + n - piece, piece);
    memcpy(&last_b, b + n - piece, piece);
    return ((first_a ^ first_b) | (last_a ^ last_b)) != 0;
}

/**
 * As memcmp(…) == 0, fastest up to 16 bytes.
 * Thread: any.
 */
ALWAYS_INLINE bool bytes_equal(const char *a, const char *b, size_t n)
{
    if (n > 16) {
        return memcmp(a, b, n) == 0;
    }
    if (n >= 8) {
        return !piece_differs(a, b, n, 8);
    }
    if (n >= 4) {
        return !piece_differs(a, b, n, 4);
    }
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}
