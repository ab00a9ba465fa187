/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms of subjects: what the wildcards of a source match is put into a destination (spec 05
 * §6). Compiled once, immutable then. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

struct transform;

/**
 * Compile a transform: of a mapping, where all functions may be used.
 * @param source  wildcards count as such if they are a whole token
 * @param out     owned by the caller
 * @param why     what is wrong is appended as in the error table of spec 05 §6 ("invalid subject",
 *                "invalid mapping destination: …"), if ST_BAD_VALUE is returned
 * Thread: any (as for all functions here).
 */
MUST_USE enum status transform_new(struct str source, struct str dest, struct transform **out,
                                   struct buf *why);

/** Free it; NULL is allowed. */
void transform_free(struct transform *t);

/**
 * Append the destination for a subject.
 * @param subject  matches the source; "*" and ">" in it are plain text, so that a pattern is
 *                 transformed likewise
 * @param random   for random(); any number
 */
void transform_apply(const struct transform *t, struct str subject, uint32_t random,
                     struct buf *out);

/** The two directions of an import, and what its subjects look like in the importing account. */
struct transform_pair {
    struct buf local;            // pattern of the local subjects: "to" with "*" for placeholders
    struct transform *to_local;  // subject of the export → local; NULL: it stays as it is
    struct transform *to_remote; // local → subject of the export; NULL: it stays as it is
};

/**
 * Compile what an import's "to" asks for: wildcard(n), $n, or bare wildcards in order, each
 * wildcard of the subject exactly once (spec 05 §7, §8). If the subject has none, "to" is not
 * looked into: it may be a pattern, all of which leads to the subject (for a stream that makes no
 * sense: the caller's business).
 * @param subject  as the importing account asks for it
 * @param to       not empty
 * @param out      released by transform_pair_deinit, also after an error
 * @param why      as for transform_new
 */
MUST_USE enum status transform_pair_init(struct str subject, struct str to,
                                         struct transform_pair *out, struct buf *why);

/** Release what a pair holds. */
void transform_pair_deinit(struct transform_pair *p);
