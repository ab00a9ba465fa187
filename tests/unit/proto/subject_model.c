/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects the slow way; see subject_model.h. */
#include "subject_model.h"

#include "base/attr.h"

void model_split(struct str s, struct model_tokens *t)
{
    size_t start = 0;

    ENSURE(s.n < MODEL_MAX_TOKENS);
    t->n = 0;
    for (size_t i = 0; i <= s.n; i++) {
        if (i == s.n || s.p[i] == '.') {
            t->token[t->n++] = (struct str){.p = s.p + start, .n = i - start};
            start = i + 1;
        }
    }
}

bool model_is_valid(const struct model_tokens *t, bool literal)
{
    for (uint32_t i = 0; i < t->n; i++) {
        bool is_rest = str_equal(t->token[i], STR(">"));

        if (!t->token[i].n || (is_rest && i + 1 < t->n) ||
            (literal && (is_rest || str_equal(t->token[i], STR("*"))))) {
            return false;
        }
    }
    return true;
}

bool model_matches(const struct model_tokens *literal, const struct model_tokens *pattern)
{
    for (uint32_t i = 0; i < literal->n; i++) {
        if (!literal->token[i].n) {
            return false;
        }
    }
    for (uint32_t i = 0; i < pattern->n; i++) {
        if (i == literal->n) {
            return false;
        }
        if (str_equal(pattern->token[i], STR(">"))) {
            return true;
        }
        if (!str_equal(pattern->token[i], STR("*")) &&
            !str_equal(pattern->token[i], literal->token[i])) {
            return false;
        }
    }
    return pattern->n == literal->n;
}
