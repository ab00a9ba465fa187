/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions that may not have every message that their subject matches (spec 04 §7.4). They are
 * taken out of a match when that is made, so a delivery knows nothing of it. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/str.h"

struct match;
struct sub;

/**
 * Take out of a match those whose permissions deny them this subject.
 * @param take_m  given up if nobody is left
 * @return        the match, or NULL
 * Thread: any.
 */
MUST_USE struct match *filter_match(struct match *take_m, struct str subject);

/** @return  whether a subscription may have a message, as far as permissions go. Thread: any. */
bool filter_may_have(const struct sub *s, struct str subject);
