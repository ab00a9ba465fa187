/* SPDX-License-Identifier: Apache-2.0 */
/* A slice of bytes, passed by value. It owns nothing and is not NUL-terminated. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
    const char *p;
    size_t n; // [bytes]
};

/** A slice of a string literal. */
#define STR(literal) ((struct str){.p = "" literal "", .n = sizeof(literal) - 1})
/** The same in the initialiser of something static. */
#define STR_INIT(literal) {.p = "" literal "", .n = sizeof(literal) - 1}
/** The two arguments that print a slice with "%.*s". */
#define STR_ARG(s) (int)(s).n, (s).p

/** @return  the slice over a NUL-terminated string; NULL gives the empty slice. */
static inline struct str str_of(const char *z)
{
    return (struct str){.p = z, .n = z ? strlen(z) : 0};
}

/** Copy the bytes of s to *at, which has room for them, and step behind them. @return  the copy */
static inline struct str str_put(char **at, struct str s)
{
    struct str copy = {.p = *at, .n = s.n};

    if (s.n) {
        memcpy(*at, s.p, s.n);
    }
    *at += s.n;
    return copy;
}

/** @return  whether both slices hold the same bytes. */
static inline bool str_equal(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/** @return  less than 0, 0, more than 0: a comes before b in the order of bytes, is equal, comes
 * after. */
static inline int str_compare(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;

    return order ? order : (a.n > b.n) - (a.n < b.n);
}

/** @return  whether s begins with the bytes of prefix. */
static inline bool str_starts_with(struct str s, struct str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/**
 * @return  whether both slices are equal when ASCII letters are compared without their case.
 * Thread: any.
 */
bool str_equal_nocase(struct str a, struct str b);
