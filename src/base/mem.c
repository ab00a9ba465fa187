/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that asks for memory and the one place that gives up when there is none. */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/attr.h"

NORETURN static void out_of_memory(size_t n)
{
    fprintf(stderr, "gnatwren: out of memory (%zu bytes)\n", n);
    abort();
}

void ensure_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "gnatwren: %s:%d: broken contract: %s\n", file, line, expression);
    abort();
}

void *mem_alloc(size_t n)
{
    void *p = malloc(n ? n : 1);

    if (UNLIKELY(!p)) {
        out_of_memory(n);
    }
    return p;
}

void *mem_zalloc(size_t n)
{
    void *p = calloc(1, n ? n : 1);

    if (UNLIKELY(!p)) {
        out_of_memory(n);
    }
    return p;
}

void *mem_realloc(void *p, size_t n)
{
    void *resized = realloc(p, n ? n : 1);

    if (UNLIKELY(!resized)) {
        out_of_memory(n);
    }
    return resized;
}

void *mem_zalloc_aligned(size_t n)
{
    size_t size = (n + CACHE_LINE_BYTES - 1) / CACHE_LINE_BYTES * CACHE_LINE_BYTES;
    void *p = aligned_alloc(CACHE_LINE_BYTES, size ? size : CACHE_LINE_BYTES);

    if (UNLIKELY(!p)) {
        out_of_memory(n);
    }
    return memset(p, 0, size);
}

char *mem_strndup(const char *p, size_t n)
{
    char *copy = mem_alloc(n + 1);

    if (n) {
        memcpy(copy, p, n);
    }
    copy[n] = '\0';
    return copy;
}

void mem_free(void *p)
{
    free(p);
}

void mem_trim(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
