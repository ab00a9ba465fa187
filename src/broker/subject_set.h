/* SPDX-License-Identifier: Apache-2.0 */
/* A set of subjects with wildcards, made once and then asked: what permissions are made of.
 *
 * Cost: a question visits the tokens of its subject, however many entries there are; where entries
 * have "*" beside literal tokens it may have to go both ways. An entry without wildcards is found
 * at once. Questions allocate nothing, except
 * subject_set_covers for a subject that ends in ">". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ptrset.h"
#include "base/str.h"

struct subject_node;

/** Zero is empty. */
struct subject_set {
    struct subject_node *root; // NULL: no entries
    struct ptrset edges;       // all nodes that a literal token leads to, by parent and token
    struct ptrset literals;    // entries without wildcards, which are nodes as well
};

/** Free what is in the set; it is empty then. Thread: the owner of the set. */
void subject_set_deinit(struct subject_set *set);

/** Add a valid subject (proto/subject.h), copied; nothing happens if it is there already.
 * Thread: the owner of the set. */
void subject_set_add(struct subject_set *set, struct str subject);

/**
 * @return  whether an entry matches a published subject, all tokens of which are plain text. A
 *          subject with an empty token matches nothing.
 * Thread: any, nobody adds meanwhile (as for all functions below).
 */
bool subject_set_matches(const struct subject_set *set, struct str subject);

/**
 * @return  whether each subject that a valid pattern matches is matched by an entry, not always the
 *          same: "a.*" and "a.*.>" together cover "a.>".
 */
bool subject_set_covers(const struct subject_set *set, struct str pattern);

/** @return  whether some subject is matched both by a valid pattern and by an entry. */
bool subject_set_overlaps(const struct subject_set *set, struct str pattern);
