/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer for text that is built once: JSON documents, log lines, INFO. Not for the
 * delivery path, which writes into output queues (conn/outq.h). */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

struct buf {
    char *p;
    size_t n;   // [bytes] in use
    size_t cap; // [bytes] allocated
};

/**
 * Release the memory of b and make it empty.
 * Thread: the owner of b (as for all functions here).
 */
void buf_deinit(struct buf *b);

/** Append the bytes of s. */
void buf_add(struct buf *b, struct str s);

/** Append one byte. */
void buf_add_char(struct buf *b, char c);

/** Append formatted text. */
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

/** As buf_printf, with the arguments in ap. */
void buf_vprintf(struct buf *b, const char *format, va_list ap) PRINTF_LIKE(2, 0);

/** Make room for n more bytes. @return  where they go; the caller then adds to b->n. */
char *buf_reserve(struct buf *b, size_t n);

/** @return  the content as a slice, borrowed until b changes. */
static inline struct str buf_str(const struct buf *b)
{
    return (struct str){.p = b->p, .n = b->n};
}
