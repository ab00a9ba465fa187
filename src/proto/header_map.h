/* SPDX-License-Identifier: Apache-2.0 */
/* A header block as JSON: {"Name":["value", …], …}. */
#pragma once

#include "base/json.h"
#include "base/str.h"

/**
 * Write the headers of a block as an object, sorted by name, with all values of a name in the order
 * of the block. Headers without a value, and what follows something that is not a header, are left
 * out.
 * @param hdr  a whole block, or anything else
 * Thread: the owner of the buffer.
 */
void header_map_write(struct str hdr, struct json *j);
