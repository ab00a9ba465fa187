/* SPDX-License-Identifier: Apache-2.0 */
/* broker/subject_set.h: the three questions, and a million random cases against their definitions,
 * asked token by token. */
#include "broker/subject_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/buf.h"
#include "proto/subject.h"
#include "subject_model.h"

#define N_SETS 25000u
#define N_QUESTIONS 40u // per set and kind
#define MAX_ENTRIES 8u
#define MAX_TOKENS 5u

static struct subject_set make(const char *const *entries, unsigned n)
{
    struct subject_set set = {0};

    for (unsigned i = 0; i < n; i++) {
        subject_set_add(&set, str_of(entries[i]));
    }
    return set;
}

static void test_matches(void **state)
{
    static const char *const entries[] = {"a", "a.b", "b.*", "c.>", "d.*.e", "d.x.f", "*.y", "a.b"};
    static const char *const in[] = {"a",   "a.b",   "b.x", "b.*",     "b.>",   "c.x", "c.x.y",
                                     "c.>", "d.x.e", "y.y", "c.*.x.>", "d.x.f", "*.y"};
    static const char *const out[] = {"b",  "c",   "a.c",  "b.x.y", "d.x",  "d.x.g",  ".y", "",
                                      "b.", "c..", "c.x.", "c..x",  "a.b.", "d.x.e.", "z",  "*"};
    struct subject_set set = make(entries, ARRAY_SIZE(entries));
    struct subject_set empty = {0};

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(in); i++) {
        assert_true(subject_set_matches(&set, str_of(in[i])));
        assert_false(subject_set_matches(&empty, str_of(in[i])));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(out); i++) {
        assert_false(subject_set_matches(&set, str_of(out[i])));
    }
    subject_set_deinit(&set);
    assert_false(subject_set_matches(&set, STR("a")));
    subject_set_deinit(&set);
}

static void test_covers(void **state)
{
    static const char *const entries[] = {"a.*", "b.>",     "c.*",   "c.*.*",
                                          "d.*", "d.*.*.>", "e.*.x", "e.y.*"};
    static const char *const in[] = {"a.x",   "a.*",     "b.*",   "b.>",     "b.*.x",
                                     "b.x.>", "c.*",     "c.*.y", "e.*.x",   "d.*",
                                     "e.y.*", "d.x.y.>", "a.>x",  "d.*.x.>", "d.x.*.*"};
    static const char *const out[] = {"*",   ">",     "a.>",   "*.x", "c.>", "c.*.*.*",
                                      "d.>", "d.x.>", "e.*.*", "e.>", "b",   "e.y.>"};
    struct subject_set set = make(entries, ARRAY_SIZE(entries));

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(in); i++) {
        assert_true(subject_set_covers(&set, str_of(in[i])));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(out); i++) {
        assert_false(subject_set_covers(&set, str_of(out[i])));
    }
    subject_set_add(&set, STR("c.*.*.*.>")); // now "c." has all lengths but four
    assert_false(subject_set_covers(&set, STR("c.>")));
    subject_set_add(&set, STR("c.*.*.*"));
    assert_true(subject_set_covers(&set, STR("c.>")));
    assert_true(subject_set_covers(&set, STR("c.x.>")));
    subject_set_deinit(&set);
}

static void test_overlaps(void **state)
{
    static const char *const entries[] = {"a.b", "c.*.x", "d.x.>", "e"};
    static const char *const in[] = {"a.*", "*.b",   ">",     "a.>",   "c.y.*", "*.*.*",  "c.>",
                                     "d.>", "d.*.z", "*.x.*", "c.*.*", "*",     "d.*.*.*"};
    static const char *const out[] = {"b.*",   "a.b.*", "a.b.>", "c.*.y",
                                      "d.y.>", "d.x",   "d.*",   "e.>"};
    struct subject_set set = make(entries, ARRAY_SIZE(entries));

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(in); i++) {
        assert_true(subject_set_overlaps(&set, str_of(in[i])));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(out); i++) {
        assert_false(subject_set_overlaps(&set, str_of(out[i])));
    }
    subject_set_deinit(&set);
}

/* Nothing recurses, nor tries all 2^n ways. */
static void test_long_subjects(void **state)
{
    struct subject_set set = {0};
    struct buf deep = {0};
    struct buf steps = {0};

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        buf_add(&deep, STR("a."));
    }
    buf_add(&deep, STR("*.b"));
    for (unsigned i = 0; i < 200; i++) {
        steps.n = 0;
        for (unsigned k = 0; k < 200; k++) {
            buf_add(&steps, k == i ? STR("*.") : STR("a."));
        }
        buf_add(&steps, STR("b"));
        subject_set_add(&set, buf_str(&steps));
    }
    subject_set_add(&set, buf_str(&deep));
    assert_true(subject_set_matches(&set, buf_str(&deep)));
    assert_true(subject_set_covers(&set, buf_str(&deep)));
    assert_true(subject_set_overlaps(&set, buf_str(&deep)));
    deep.p[deep.n - 1] = 'c';
    assert_false(subject_set_matches(&set, buf_str(&deep)));
    steps.p[steps.n - 1] = 'c';
    assert_false(subject_set_matches(&set, buf_str(&steps)));
    assert_false(subject_set_covers(&set, buf_str(&steps)));
    assert_false(subject_set_overlaps(&set, buf_str(&steps)));
    subject_set_deinit(&set);
    buf_deinit(&deep);
    buf_deinit(&steps);
}

/* ---- random cases */

struct text {
    char p[3 * MAX_TOKENS];
    size_t n;
};

static uint32_t random_below(uint64_t *state, uint32_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((*state >> 32) * n >> 32);
}

static struct str text_str(const struct text *t)
{
    return (struct str){.p = t->p, .n = t->n};
}

/* Some tokens, the last one perhaps ">", perhaps an empty one among them. */
static void make_text(struct text *t, uint64_t *random, bool is_valid)
{
    static const char *const tokens[] = {"a", "b", "*", "bb", "*", ">"};
    uint32_t n = 1 + random_below(random, MAX_TOKENS);

    t->n = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool may_be_rest = i + 1 == n || !is_valid;
        const char *token = tokens[random_below(random, may_be_rest ? 6 : 5)];

        token = !is_valid && random_below(random, 16) == 0 ? "" : token;
        t->n += (size_t)snprintf(t->p + t->n, sizeof(t->p) - t->n, "%s%s", i ? "." : "", token);
    }
}

static bool model_set_matches(const struct text *entries, unsigned n, struct str subject)
{
    static struct model_tokens literal;
    static struct model_tokens pattern;

    model_split(subject, &literal);
    for (unsigned i = 0; i < n; i++) {
        model_split(text_str(&entries[i]), &pattern);
        if (model_matches(&literal, &pattern)) {
            return true;
        }
    }
    return false;
}

/* By the definition: a subject of each length, in which "?" stands for any other token. */
static bool model_set_covers(const struct text *entries, unsigned n, struct str pattern)
{
    char subject[64];
    size_t at = 0;
    bool has_rest = pattern.p[pattern.n - 1] == '>';

    for (size_t i = 0; i < pattern.n; i++) {
        char c = pattern.p[i];

        subject[at++] = c == '*' || c == '>' ? '?' : c;
    }
    for (unsigned more = 0; more <= MAX_TOKENS; more++) {
        if (!model_set_matches(entries, n, (struct str){.p = subject, .n = at})) {
            return false;
        }
        if (!has_rest) {
            break;
        }
        subject[at++] = '.';
        subject[at++] = '?';
    }
    return true;
}

static bool model_overlaps(const struct model_tokens *a, const struct model_tokens *b)
{
    for (uint32_t i = 0;; i++) {
        if (i == a->n || i == b->n) {
            return a->n == b->n;
        }
        if (str_equal(a->token[i], STR(">")) || str_equal(b->token[i], STR(">"))) {
            return true;
        }
        if (!str_equal(a->token[i], b->token[i]) && !str_equal(a->token[i], STR("*")) &&
            !str_equal(b->token[i], STR("*"))) {
            return false;
        }
    }
}

static bool model_set_overlaps(const struct text *entries, unsigned n, struct str subject)
{
    static struct model_tokens a;
    static struct model_tokens b;

    model_split(subject, &a);
    for (unsigned i = 0; i < n; i++) {
        model_split(text_str(&entries[i]), &b);
        if (model_overlaps(&a, &b)) {
            return true;
        }
    }
    return false;
}

static void test_random(void **state)
{
    uint64_t random = 20;
    unsigned yes[3] = {0};

    (void)state;
    for (unsigned i = 0; i < N_SETS; i++) {
        struct text entries[MAX_ENTRIES];
        unsigned n = random_below(&random, MAX_ENTRIES + 1);
        struct subject_set set = {0};

        for (unsigned k = 0; k < n; k++) {
            make_text(&entries[k], &random, true);
            assert_true(subject_is_valid(text_str(&entries[k])));
            subject_set_add(&set, text_str(&entries[k]));
        }
        for (unsigned k = 0; k < N_QUESTIONS; k++) {
            struct text text;
            struct str s;

            make_text(&text, &random, false);
            s = text_str(&text);
            bool matches = subject_set_matches(&set, s);
            assert_int_equal(matches, model_set_matches(entries, n, s));
            make_text(&text, &random, true);
            s = text_str(&text);
            bool covers = subject_set_covers(&set, s);
            bool overlaps = subject_set_overlaps(&set, s);
            assert_int_equal(covers, model_set_covers(entries, n, s));
            assert_int_equal(overlaps, model_set_overlaps(entries, n, s));
            assert_true(!covers || (overlaps && subject_set_matches(&set, s)));
            yes[0] += matches;
            yes[1] += covers;
            yes[2] += overlaps;
        }
        subject_set_deinit(&set);
    }
    for (unsigned i = 0; i < 3; i++) { // none of the answers is rare
        assert_in_range(yes[i], N_SETS * N_QUESTIONS / 20, N_SETS * N_QUESTIONS / 20 * 19);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),  cmocka_unit_test(test_covers),
        cmocka_unit_test(test_overlaps), cmocka_unit_test(test_long_subjects),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
