/* SPDX-License-Identifier: Apache-2.0 */
/* The client protocol, outbound: pieces of MSG and HMSG lines (spec 01 §4). */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/decimal.h"
#include "base/str.h"

/** Copy a slice. @return  the byte after it. Thread: any (as for all functions here). */
static inline char *write_str(char *out, struct str s)
{
    memcpy(out, s.p, s.n);
    return out + s.n;
}

/**
 * @return  [bytes] that write_tail_line writes at most for a reply of reply_n bytes
 */
static inline size_t write_tail_line_max(size_t reply_n)
{
    return reply_n + 1 + 2 * (DECIMAL_MAX + 1) + 2;
}

/**
 * Write the end of a MSG or HMSG line: "[reply ][hdr_n ]total_n\r\n"; hdr_n 0 gives that of a MSG.
 * @return  the byte after it
 */
char *write_tail_line(char *out, struct str reply, size_t hdr_n, size_t total_n);
