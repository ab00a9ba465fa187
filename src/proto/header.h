/* SPDX-License-Identifier: Apache-2.0 */
/* Header blocks of messages (spec 01 §16): "NATS/1.0\r\n", lines "Name: value\r\n", "\r\n".
 * Publishers may send anything in their place; whoever looks for a header must be ready for
 * that. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/**
 * @param hdr   a whole block, or anything else
 * @param name  matches exactly, letter case included
 * @return      the first value with that name, without the blanks around it; borrowed from hdr.
 *              Empty if there is none, or none before a line that is not a header
 * Thread: any.
 */
struct str header_find(struct str hdr, struct str name);

/**
 * Append a block with one header set: those lines of hdr that are not of that name, then this one.
 * All else stays byte for byte, in its order.
 *
 * Whoever gets the block must not be deceived by a header of that name that its sender put there.
 * So a line is of that name whatever its letter case, with blanks around the name, and after a mere
 * LF, as some client libraries read it; and what follows the first empty line is left out.
 * @param hdr    a whole block, anything else, or empty; an empty one becomes a block of one header
 * @param value  without CR and LF
 * Thread: the owner of out.
 */
void header_replace(struct str hdr, struct str name, struct str value, struct buf *out);

/** One header; borrowed from its block. */
struct header {
    struct str name;
    struct str value; // without the blanks around it
};

/** A walk over the headers of a block. */
struct header_walk {
    struct str rest;
    bool is_broken; // it ended at something that is not a header
};

/** @return  a walk that begins at the first header, whatever the block's first line says. Thread:
 * any. */
struct header_walk header_walk(struct str hdr);

/**
 * Go on to the next header.
 * @return  false: none is left, and w->is_broken tells whether the block was well-formed: a name of
 *          token characters and blanks, a colon, no control characters, at last an empty line
 * Thread: any.
 */
bool header_next(struct header_walk *w, struct header *out);
