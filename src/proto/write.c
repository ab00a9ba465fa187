/* SPDX-License-Identifier: Apache-2.0 */
/* The client protocol, outbound: what is not worth inlining. */
#include "proto/write.h"

char *write_u64(char *out, uint64_t v)
{
    char digits[WRITE_U64_MAX];
    size_t n = 0;

    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    while (n) {
        *out++ = digits[--n];
    }
    return out;
}

char *write_tail_line(char *out, struct str reply, size_t hdr_n, size_t total_n)
{
    if (reply.n) {
        out = write_str(out, reply);
        *out++ = ' ';
    }
    if (hdr_n) {
        out = write_u64(out, hdr_n);
        *out++ = ' ';
    }
    out = write_u64(out, total_n);
    *out++ = '\r';
    *out++ = '\n';
    return out;
}
