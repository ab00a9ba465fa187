/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648, with padding). */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

/** Append the text for some bytes. Thread: the owner of the buffer. */
void base64_add(struct buf *out, struct str bytes);

/** Append the bytes that a text stands for. @return  false: it is none; some may be there then.
 * Thread: likewise. */
MUST_USE bool base64_decode(struct str text, struct buf *out);
