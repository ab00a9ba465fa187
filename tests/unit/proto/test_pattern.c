/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns against all subjects that they could tell apart: tokens a and b as in the patterns, and
 * c which is in none of them, one token more than a pattern has. */
#include "proto/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attr.h"
#include "proto/subject.h"

#define MAX_TOKENS 4
#define MAX_TEXT (2 * MAX_TOKENS)
#define MAX_SUBJECTS 400

struct texts {
    char at[MAX_SUBJECTS][MAX_TEXT];
    size_t n;
};

/* All texts of up to n_most of these tokens, which have one letter each. */
static void make_texts(struct texts *out, const char *tokens, size_t n_most)
{
    size_t begin = 0;

    out->n = 0;
    for (const char *t = tokens; *t; t++) {
        (void)snprintf(out->at[out->n++], MAX_TEXT, "%c", *t);
    }
    for (size_t i = 1; i < n_most; i++) {
        size_t end = out->n;

        for (; begin < end; begin++) {
            for (const char *t = tokens; *t; t++) {
                assert_true(out->n < MAX_SUBJECTS);
                (void)snprintf(out->at[out->n++], MAX_TEXT, "%.5s.%c", out->at[begin], *t);
            }
        }
    }
}

static void keep_valid(struct texts *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++) {
        if (subject_is_valid(str_of(t->at[i]))) {
            memmove(t->at[n++], t->at[i], MAX_TEXT);
        }
    }
    t->n = n;
}

static void test_against_subjects(void **state)
{
    static struct texts subjects;
    static struct texts patterns;

    (void)state;
    make_texts(&subjects, "abc", MAX_TOKENS);
    make_texts(&patterns, "ab*>", MAX_TOKENS - 1);
    keep_valid(&patterns);
    for (size_t i = 0; i < patterns.n * patterns.n; i++) {
        struct str a = str_of(patterns.at[i / patterns.n]);
        struct str b = str_of(patterns.at[i % patterns.n]);
        bool covers = true;
        bool overlaps = false;

        for (size_t k = 0; k < subjects.n; k++) {
            bool is_a = subject_matches(str_of(subjects.at[k]), a);
            bool is_b = subject_matches(str_of(subjects.at[k]), b);

            covers = covers && (is_a || !is_b);
            overlaps = overlaps || (is_a && is_b);
        }
        if (pattern_covers(a, b) != covers || pattern_overlaps(a, b) != overlaps) {
            fail_msg("%.*s, %.*s: covers is %d, overlaps is %d", STR_ARG(a), STR_ARG(b), covers,
                     overlaps);
        }
    }
}

static void test_one(void **state)
{
    static const struct {
        const char *text;
        bool is_valid, has_wildcard;
    } rows[] = {
        {"a", true, false},      {"a.b", true, false},    {"*", true, true},
        {"a.>", true, true},     {"a.*.b", true, true},   {"a.*b", true, false},
        {"a.>b", true, false},   {"", false, false},      {"a..b", false, false},
        {"a.", false, false},    {".a", false, false},    {"a b", false, false},
        {"a.\tb", false, false}, {"a.b\n", false, false}, {">.a", false, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct str s = str_of(rows[i].text);

        if (pattern_is_valid(s) != rows[i].is_valid ||
            pattern_has_wildcard(s) != rows[i].has_wildcard) {
            fail_msg("\"%s\"", rows[i].text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_subjects),
                                       cmocka_unit_test(test_one)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
