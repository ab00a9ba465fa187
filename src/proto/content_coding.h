/* SPDX-License-Identifier: Apache-2.0 */
/* How the payload of a message may be encoded, if whoever asked for it said so by a header
 * Accept-Encoding (spec 06 §6.2). */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum content_coding {
    CONTENT_IDENTITY, // as it is
    CONTENT_GZIP,
    CONTENT_SNAPPY, // in its framing format
};

/** @param accept  value of Accept-Encoding. @return  what it asks for, as far as we know that.
 * Thread: any (as for all functions here). */
enum content_coding content_coding_find(struct str accept);

/** Append the header block that says how a payload is encoded. */
void content_coding_write_header(enum content_coding coding, struct buf *out);

/** Append a payload, encoded. */
void content_coding_encode(enum content_coding coding, struct str payload, struct buf *out);
