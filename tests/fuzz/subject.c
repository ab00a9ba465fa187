/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a published subject, LF, a pattern. The functions of proto/subject.h against naive
 * ones. */
#include "proto/subject.h"

#include "base/attr.h"
#include "base/mem.h"
#include "fuzz.h"
#include "subject_model.h"

/* A copy in a block of just its size. */
static struct str copy(struct str s)
{
    char *p = mem_alloc(s.n);

    if (s.n) {
        memcpy(p, s.p, s.n);
    }
    return (struct str){.p = p, .n = s.n};
}

static void check_one(struct str s, const struct model_tokens *t)
{
    struct str rest = s;
    uint32_t n = 0;

    ENSURE(subject_is_valid(s) == model_is_valid(t, false));
    ENSURE(subject_is_literal(s) == model_is_valid(t, true));
    ENSURE(subject_count_tokens(s) == t->n);
    while (rest.p) {
        struct str token = subject_next_token(&rest);

        ENSURE(n < t->n && str_equal(token, t->token[n]));
        n++;
    }
    ENSURE(n == t->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct model_tokens l;
    static struct model_tokens p;
    struct str in = {.p = (const char *)data, .n = n};
    const char *lf = n ? memchr(in.p, '\n', in.n) : NULL;
    struct str literal;
    struct str pattern;

    if (!lf || n >= MODEL_MAX_TOKENS) {
        return 0;
    }
    literal = copy((struct str){.p = in.p, .n = (size_t)(lf - in.p)});
    pattern = copy((struct str){.p = lf + 1, .n = in.n - literal.n - 1});
    model_split(literal, &l);
    model_split(pattern, &p);
    check_one(literal, &l);
    check_one(pattern, &p);
    if (subject_is_valid(pattern)) {
        ENSURE(subject_matches(literal, pattern) == model_matches(&l, &p));
    } else {
        (void)subject_matches(literal, pattern); // stays within its bytes
    }
    mem_free((void *)(uintptr_t)literal.p);
    mem_free((void *)(uintptr_t)pattern.p);
    return 0;
}
