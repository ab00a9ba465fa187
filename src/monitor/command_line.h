/* SPDX-License-Identifier: Apache-2.0 */
/* How the server was called, for those who look at it from elsewhere. */
#pragma once

struct buf;

/** Append the arguments, each with a zero byte behind it; what a client would log in with reads
 * "[REDACTED]". Thread: any. */
void command_line_read(struct buf *out);
