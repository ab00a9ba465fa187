/* SPDX-License-Identifier: Apache-2.0 */
/* Header blocks of messages (spec 01 §16): "NATS/1.0\r\n", lines "Name: value\r\n", "\r\n".
 * Publishers may send anything in their place; whoever looks for a header must be ready for
 * that. */
#pragma once

#include "base/str.h"

/**
 * @param hdr   a whole block, or anything else
 * @param name  matches exactly, letter case included
 * @return      the first value with that name, without the blanks around it; borrowed from hdr.
 *              Empty if there is none, or none before a line that is not a header
 * Thread: any.
 */
struct str header_find(struct str hdr, struct str name);
