/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects with wildcards beside each other: which of the subjects that one stands for does the
 * other stand for, too? */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/** @return  whether s is a valid subject (proto/subject.h) without white space, as a configuration
 * may name it. Thread: any (as for all functions here). */
bool pattern_is_valid(struct str s);

/** @return  whether a token of s is exactly "*" or ">". */
bool pattern_has_wildcard(struct str s);

/** @return  whether each subject that `inner` stands for is one of `outer`. Both are valid. */
bool pattern_covers(struct str outer, struct str inner);

/** @return  whether there is a subject that both stand for. Both are valid. */
bool pattern_overlaps(struct str a, struct str b);

/**
 * Append the pattern of all subjects that two valid patterns both match.
 * @return  false: there are none, and what was appended is of no use
 */
bool pattern_intersect(struct str a, struct str b, struct buf *out);
