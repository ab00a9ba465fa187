/* SPDX-License-Identifier: Apache-2.0 */
/* The client protocol, outbound: what is not worth inlining. */
#include "proto/write.h"

char *write_tail_line(char *out, struct str reply, size_t hdr_n, size_t total_n)
{
    if (reply.n) {
        out = write_str(out, reply);
        *out++ = ' ';
    }
    if (hdr_n) {
        out = decimal_write(out, hdr_n);
        *out++ = ' ';
    }
    out = decimal_write(out, total_n);
    *out++ = '\r';
    *out++ = '\n';
    return out;
}
