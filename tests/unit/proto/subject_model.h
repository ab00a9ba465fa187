/* SPDX-License-Identifier: Apache-2.0 */
/* What the functions of proto/subject.h should answer, by splitting into tokens first; for the unit
 * test and the fuzz target. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define MODEL_MAX_TOKENS 1024u

/** A subject split into tokens. */
struct model_tokens {
    struct str token[MODEL_MAX_TOKENS];
    uint32_t n;
};

/** Split a subject of fewer than MODEL_MAX_TOKENS bytes.
 * Thread: any (as for all functions here). */
void model_split(struct str s, struct model_tokens *t);

/** @return  whether these tokens may be subscribed to; `literal`: and hold no wildcard */
bool model_is_valid(const struct model_tokens *t, bool literal);

/** @return  whether a published subject reaches a valid pattern */
bool model_matches(const struct model_tokens *literal, const struct model_tokens *pattern);
