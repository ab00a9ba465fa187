/* SPDX-License-Identifier: Apache-2.0 */
/* Heap memory. Running out aborts with a message, here and nowhere else: sizes that come from the
 * network are bounded before they are allocated. */
#pragma once

#include <stddef.h>

/**
 * @return  n uninitialised bytes, owned by the caller; never NULL.
 * Thread: any.
 */
void *mem_alloc(size_t n) __attribute__((malloc, returns_nonnull));

/**
 * @return  n zero bytes, owned by the caller; never NULL.
 * Thread: any.
 */
void *mem_zalloc(size_t n) __attribute__((malloc, returns_nonnull));

/**
 * Resize `p` (NULL: a new block) to n bytes; the content up to the smaller size is kept.
 * Thread: any.
 */
void *mem_realloc(void *p, size_t n) __attribute__((returns_nonnull));

/**
 * @return  n zero bytes that start on a cache line, owned by the caller; release with mem_free.
 * Thread: any.
 */
void *mem_zalloc_aligned(size_t n) __attribute__((malloc, returns_nonnull));

/**
 * @return  a NUL-terminated copy of the n bytes at p, owned by the caller.
 * Thread: any.
 */
char *mem_strndup(const char *p, size_t n) __attribute__((malloc, returns_nonnull));

/**
 * Release a block; NULL is allowed.
 * Thread: any.
 */
void mem_free(void *p);

/**
 * Give the system back what lies unused between blocks. The C library does so by itself only at the
 * end of the heap, where something small remains often enough. Takes a millisecond, or tens of them
 * when there is much; meanwhile other threads may have to wait for memory.
 * Thread: any.
 */
void mem_trim(void);
