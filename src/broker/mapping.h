/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings of an account: a message published to this subject goes to that, or to one of several by
 * weight (spec 05 §5). Built by one thread, immutable then.
 *
 * Cost: to find that nothing is mapped takes a walk over the tokens of the subject, however many
 * mappings there are. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

struct mapping;
struct mappings;

/** Where a share of the messages goes. */
struct mapping_dest {
    struct str subject; // a transform's destination
    uint8_t weight;     // [%]
    struct str cluster; // only in the cluster of this name; empty: in all others
};

/** Create an empty table for a server in that cluster; empty: in none. Thread: any. */
struct mappings *mappings_new(struct str cluster);

/** Free it; NULL is allowed. Thread: any, nobody uses it any more. */
void mappings_free(struct mappings *m);

/**
 * Add a source that is not there yet, with all its destinations; everything is copied.
 * @param why  what is wrong is appended, if ST_BAD_VALUE is returned: as for transform_new, or
 *             "total weight needs to be <= 100", `duplicate entry for "b"`, "invalid subject" …
 * Thread: the one that builds m.
 */
MUST_USE enum status mappings_add(struct mappings *m, struct str source,
                                  const struct mapping_dest *dests, size_t n, struct buf *why);

/** @return  how many sources there are. Thread: any. */
size_t mappings_count(const struct mappings *m);

/**
 * @return  the mapping for a published subject: that of the same text, else the most specific one
 *          (the leftmost token that differs decides: literal before "*" before ">"); NULL: none.
 *          A token that is empty or ">" is no "*". Borrowed from m
 * Thread: any.
 */
const struct mapping *mappings_find(const struct mappings *m, struct str subject);

/** The same for who knows the hash of the subject (base/hash.h) already. */
const struct mapping *mappings_find_hashed(const struct mappings *m, struct str subject,
                                           uint64_t hash);

/**
 * Draw one of the destinations of a mapping.
 * @param subject  that the mapping was found for
 * @param random   any number, evenly distributed
 * @param out      room for the result, whose content is lost
 * @return         the new subject: borrowed from out, or `subject` itself; empty: the message goes
 *                 nowhere
 * Thread: any.
 */
struct str mapping_apply(const struct mapping *m, struct str subject, uint32_t random,
                         struct buf *out);
