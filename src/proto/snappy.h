/* SPDX-License-Identifier: Apache-2.0 */
/* The Snappy format: blocks, and the frames that make a stream of them. Writing only. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/** [bytes] that one frame holds at most, uncompressed. */
#define SNAPPY_FRAME_BYTES 65536u

/** Append a stream: the frame that says what it is, then the text. Thread: the owner of the buffer
 * (as for all here). */
void snappy_add_stream(struct buf *out, struct str text);

/** Append one block. @param text  up to SNAPPY_FRAME_BYTES */
void snappy_add_block(struct buf *out, struct str text);
