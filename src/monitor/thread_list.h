/* SPDX-License-Identifier: Apache-2.0 */
/* What the threads of the process are doing, as text for people. */
#pragma once

struct buf;

/** Append a paragraph for each thread: its number and name, its state, what it has cost, and where
 * in the kernel it is, as far as that may be read. Thread: any. */
void thread_list_write(struct buf *out);
