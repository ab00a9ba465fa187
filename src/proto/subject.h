/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects: dot-separated tokens; "*" stands for one token, a last ">" for one or more (spec 01
 * §13). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/**
 * @return  whether s may be subscribed to: no empty token, ">" only as the last token.
 * Thread: any (as for all functions here).
 */
bool subject_is_valid(struct str s);

/** @return  whether s is valid and has no token that is exactly "*" or ">". */
bool subject_is_literal(struct str s);

/** @return  number of tokens: dots + 1. */
uint32_t subject_count_tokens(struct str s);

/** @return  whether a published subject, taken literally, matches a valid subscription subject. */
bool subject_matches(struct str literal, struct str pattern);

/**
 * Take the first token off a subject.
 * @param rest  in: what is left; out: what is left after the token and its dot. p is NULL after
 *              the last.
 * @return      the token
 */
static inline struct str subject_next_token(struct str *rest)
{
    const char *dot = rest->n ? memchr(rest->p, '.', rest->n) : NULL;
    struct str token = {.p = rest->p, .n = dot ? (size_t)(dot - rest->p) : rest->n};

    *rest = dot ? (struct str){.p = dot + 1, .n = rest->n - token.n - 1} : (struct str){0};
    return token;
}
