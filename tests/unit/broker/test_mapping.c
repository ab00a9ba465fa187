/* SPDX-License-Identifier: Apache-2.0 */
/* broker/mapping.h: which source is found, against the rules and a million random questions; what
 * becomes of weights, exactly; errors. */
#include "broker/mapping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/subject.h"
#include "subject_model.h"
#include "vectors.h"

/* Adds a source whose messages go to `dest`. */
static void add(struct mappings *m, struct str source, struct str dest)
{
    struct mapping_dest d = {.subject = dest, .weight = 100};
    struct buf why = {0};
    enum status st = mappings_add(m, source, &d, 1, &why);

    if (st != ST_OK) {
        fail_msg("%.*s: %.*s", STR_ARG(source), (int)why.n, why.p);
    }
}

/* @return  where a message goes, borrowed from out or the subject itself */
static struct str map(const struct mappings *m, struct str subject, uint32_t random,
                      struct buf *out)
{
    const struct mapping *one = mappings_find(m, subject);

    return one ? mapping_apply(one, subject, random, out) : subject;
}

static void check(const struct mappings *m, const char *subject, const char *wanted)
{
    struct buf out = {0};
    struct str got = map(m, str_of(subject), 0, &out);

    if (!str_equal(got, str_of(wanted))) {
        fail_msg("%s: %.*s instead of %s", subject, STR_ARG(got), wanted);
    }
    buf_deinit(&out);
}

/* ---- finding */

static void test_find(void **state)
{
    static const char *const sources[][2] = {
        {"a", "1"},
        {"a.b", "2"},
        {"a.*", "3"},
        {"a.>", "4.>"},
        {"*.b", "5"},
        {"*.*.c", "6"},
        {"a.*.c", "7"},
        {"a.b.>", "8.>"},
        {"b.*.c.>", "9.>"},
        {"b.x.d", "10"},
        {"b.>", "11.$0.>"},
        {"foo.*x", "12"},
        {"foo.*.*", "13.$2.$1"},
    };
    static const char *const rows[][2] = {
        {"a", "1"},
        {"a.b", "2"},
        {"a.c", "3"},
        {"a.*", "3"},
        {"a.>", "4.>"}, // ">" is no "*"
        {"a.", "4."},   // nor is nothing
        {"a.x.y", "4.x.y"},
        {"c.b", "5"},
        {"c.*", "c.*"},
        {">.b", ">.b"},
        {"c.d.c", "6"},
        {"a.x.c", "7"},   // rather than "a.>"
        {"a.b.c", "8.c"}, // rather than "a.*.c"
        {"a.b.", "8."},
        {"b.x.d", "10"},
        {"b.x.c.e.f", "9.e.f"},
        {"b.x.c", "11.b.x.c"}, // not "*.*.c": the leftmost token decides
        {"b.x", "11.b.x"},
        {"A", "A"},
        {"a.b.c.d", "8.c.d"},
        {"foo.ax", "12"}, // as nats-server has it
        {"foo.*x", "12"},
        {"foo.>", "foo.>"},
        {"foo.a.b", "13.b.a"},
        {"foo", "foo"},
        {"", ""},
    };
    struct mappings *m = mappings_new((struct str){0});

    (void)state;
    check(m, "a", "a");
    for (unsigned i = 0; i < ARRAY_SIZE(sources); i++) {
        add(m, str_of(sources[i][0]), str_of(sources[i][1]));
    }
    assert_int_equal(mappings_count(m), ARRAY_SIZE(sources));
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        check(m, rows[i][0], rows[i][1]);
    }
    mappings_free(m);
    mappings_free(NULL);
}

/* Nothing recurses, nor tries all 2^n ways. */
static void test_long_subjects(void **state)
{
    struct mappings *m = mappings_new((struct str){0});
    struct buf deep = {0};
    struct buf steps = {0};

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        buf_add(&deep, i % 2 ? STR("*.") : STR("a."));
    }
    buf_add(&deep, STR("*.b"));
    add(m, buf_str(&deep), STR("deep"));
    for (unsigned i = 0; i < 200; i++) {
        steps.n = 0;
        for (unsigned k = 0; k < 200; k++) {
            buf_add(&steps, k == i ? STR("*.") : STR("a."));
        }
        buf_add(&steps, STR("b"));
        add(m, buf_str(&steps), STR("steps"));
    }
    deep.p[2] = 'x';
    assert_non_null(mappings_find(m, buf_str(&deep)));
    deep.p[deep.n - 1] = 'c';
    assert_null(mappings_find(m, buf_str(&deep)));
    steps.p[398] = 'a';
    assert_non_null(mappings_find(m, buf_str(&steps)));
    steps.p[steps.n - 1] = 'c';
    assert_null(mappings_find(m, buf_str(&steps)));
    mappings_free(m);
    buf_deinit(&deep);
    buf_deinit(&steps);
}

/* A source matches what is a subset of it: so nats-server looks for one. */
static void test_subsets(void **state)
{
    FILE *f = vectors_open("subset_match.tsv");
    struct vector_row row;
    unsigned n = 0;

    (void)state;
    for (; vectors_next(f, &row); n++) {
        struct str source = row.field[1];
        struct mappings *m = mappings_new((struct str){0});
        bool has_rest = source.p[source.n - 1] == '>';

        add(m, source, has_rest ? STR("x.>") : STR("x"));
        if ((mappings_find(m, row.field[0]) != NULL) != str_equal(row.field[2], STR("yes"))) {
            fail_msg("%.*s in %.*s", STR_ARG(row.field[0]), STR_ARG(source));
        }
        mappings_free(m);
    }
    assert_true(n > 40);
    (void)fclose(f);
}

/* ---- weights */

#define N_DRAWS 1000u // evenly over all there are

/* How many of the draws lead to a subject. */
static unsigned count(const struct mappings *m, const char *subject, const char *dest)
{
    struct buf out = {0};
    unsigned n = 0;

    for (uint32_t i = 0; i < N_DRAWS; i++) {
        uint32_t random = (uint32_t)(((uint64_t)i << 32) / N_DRAWS) + 1000000;

        n += str_equal(map(m, str_of(subject), random, &out), str_of(dest));
    }
    buf_deinit(&out);
    return n;
}

/** A mapping of "foo" (of "foo.*" if the first destination has a "$") and what is to come out. */
struct weighing {
    const char *cluster;
    struct {
        const char *subject;
        uint8_t weight;
        const char *cluster;
    } dests[3];
    struct {
        const char *subject;
        unsigned n;
    } wanted[3];
};

static void weigh(const struct weighing *w)
{
    bool is_pattern = strchr(w->dests[0].subject, '$') != NULL;
    struct mappings *m = mappings_new(str_of(w->cluster));
    struct mapping_dest dests[3];
    struct buf why = {0};
    size_t n = 0;

    for (; n < 3 && w->dests[n].subject; n++) {
        dests[n] = (struct mapping_dest){.subject = str_of(w->dests[n].subject),
                                         .weight = w->dests[n].weight,
                                         .cluster = str_of(w->dests[n].cluster)};
    }
    assert_int_equal(mappings_add(m, is_pattern ? STR("foo.*") : STR("foo"), dests, n, &why),
                     ST_OK);
    for (unsigned i = 0; i < 3 && w->wanted[i].subject; i++) {
        assert_int_equal(count(m, is_pattern ? "foo.x" : "foo", w->wanted[i].subject),
                         w->wanted[i].n);
    }
    mappings_free(m);
    buf_deinit(&why);
}

static void test_weights(void **state)
{
    static const struct weighing rows[] = {
        {NULL, {{"b", 20, NULL}, {"c", 80, NULL}}, {{"b", 200}, {"c", 800}}},
        {NULL, {{"b", 20, NULL}}, {{"b", 200}, {"foo", 800}}},
        {NULL, {{"foo", 30, NULL}, {"b", 20, NULL}}, {{"foo", 300}, {"b", 200}, {"", 500}}},
        {NULL, {{"foo", 0, NULL}}, {{"", 1000}}},
        {NULL, {{"foo.$1", 50, NULL}}, {{"foo.x", 1000}}},
        {"X", {{"b", 100, "X"}, {"c", 50, NULL}}, {{"b", 1000}}},
        {"Y", {{"b", 100, "X"}, {"c", 50, NULL}}, {{"c", 500}, {"foo", 500}}},
        {NULL, {{"b", 100, "X"}, {"c", 50, NULL}}, {{"c", 500}, {"foo", 500}}},
        {"X", {{"b", 60, NULL}, {"c", 60, "X"}}, {{"c", 600}, {"foo", 400}}},
        {NULL, {{"foo", 40, "X"}}, {{"", 1000}}},
        {NULL, {{"b", 40, "X"}}, {{"foo", 1000}}},
        {NULL, {{"b", 100, NULL}, {"c", 0, NULL}}, {{"b", 1000}}},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        weigh(&rows[i]);
    }
}

/* random() is not tied to the draw that chose the destination. */
static void test_draws_twice(void **state)
{
    static const struct mapping_dest dests[] = {
        {.subject = STR_INIT("a.{{random(4)}}"), .weight = 20}};
    static const char *const wanted[] = {"a.0", "a.1", "a.2", "a.3"};
    struct mappings *m = mappings_new((struct str){0});
    struct buf why = {0};

    (void)state;
    assert_int_equal(mappings_add(m, STR("foo"), dests, 1, &why), ST_OK);
    for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++) {
        assert_in_range(count(m, "foo", wanted[i]), 35, 65);
    }
    mappings_free(m);
    buf_deinit(&why);
}

static void test_errors(void **state)
{
    static const struct {
        const char *source;
        struct mapping_dest dests[3];
        size_t n;
        const char *why;
    } rows[] = {
        {"foo..x", {{.subject = STR_INIT("b")}}, 1, "invalid subject"},
        {"foo bar", {{.subject = STR_INIT("b")}}, 1, "invalid subject"},
        {"", {{.subject = STR_INIT("b")}}, 1, "invalid subject"},
        {"foo",
         {{.subject = {0}, .weight = 100}},
         1,
         "invalid mapping destination: invalid transform"},
        {"foo.>", {{.subject = STR_INIT("b"), .weight = 100}}, 1, "invalid subject"},
        {"foo", {{.subject = STR_INIT("b"), .weight = 101}}, 1, "total weight needs to be <= 100"},
        {"foo",
         {{.subject = STR_INIT("b"), .weight = 60},
          {.subject = STR_INIT("c"), .weight = 60},
          {.subject = STR_INIT("$9"), .weight = 60}},
         3,
         "total weight needs to be <= 100"},
        {"foo",
         {{.subject = STR_INIT("a\"b"), .weight = 60, .cluster = STR_INIT("X")},
          {.subject = STR_INIT("a\"b"), .weight = 60}},
         2,
         "duplicate entry for \"a\\\"b\""},
        {"foo",
         {{.subject = STR_INIT("$9"), .weight = 60}, {.subject = STR_INIT("$9"), .weight = 60}},
         2,
         "invalid mapping destination: wildcard index out of range in $9"},
        {"foo",
         {{.subject = STR_INIT("b"), .weight = 60},
          {.subject = STR_INIT("{{x}}"), .weight = 60, .cluster = STR_INIT("other")}},
         2,
         "invalid mapping destination: unknown function in {{x}}"},
    };
    struct mappings *m = mappings_new((struct str){0});

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf why = {0};

        assert_int_equal(mappings_add(m, str_of(rows[i].source), rows[i].dests, rows[i].n, &why),
                         ST_BAD_VALUE);
        if (!str_equal(buf_str(&why), str_of(rows[i].why))) {
            fail_msg("%s: %.*s", rows[i].why, (int)why.n, why.p);
        }
        buf_deinit(&why);
    }
    assert_int_equal(mappings_count(m), 0);
    mappings_free(m);
}

/* ---- random cases */

#define N_TABLES 25000u
#define N_QUESTIONS 40u // per table
#define MAX_SOURCES 8u
#define MAX_TOKENS 5u

struct text {
    char p[3 * MAX_TOKENS];
    size_t n;
};

static struct str text_str(const struct text *t)
{
    return (struct str){.p = t->p, .n = t->n};
}

static uint32_t below(uint64_t *state, uint32_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((*state >> 32) * n >> 32);
}

static void make_text(struct text *t, uint64_t *random, bool is_source)
{
    static const char *const tokens[] = {"a", "b", "*", "bb", "*", ">"};
    uint32_t n = 1 + below(random, MAX_TOKENS);

    t->n = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool may_be_rest = i + 1 == n || !is_source;
        const char *token = tokens[below(random, may_be_rest ? 6 : 5)];

        token = !is_source && below(random, 16) == 0 ? "" : token;
        t->n += (size_t)snprintf(t->p + t->n, sizeof(t->p) - t->n, "%s%s", i ? "." : "", token);
    }
}

static bool model_accepts(const struct model_tokens *source, const struct model_tokens *subject)
{
    for (uint32_t i = 0; i < source->n; i++) {
        if (i == subject->n) {
            return false;
        }
        if (str_equal(source->token[i], STR(">"))) {
            return true;
        }
        bool is_star = str_equal(source->token[i], STR("*"));
        bool is_fit = subject->token[i].n && !str_equal(subject->token[i], STR(">"));

        if (is_star ? !is_fit : !str_equal(source->token[i], subject->token[i])) {
            return false;
        }
    }
    return source->n == subject->n;
}

static int rank(struct str token)
{
    return str_equal(token, STR(">")) ? 2 : str_equal(token, STR("*"));
}

/* Whether a comes before b; both accept the same subject. */
static bool model_is_better(const struct model_tokens *a, const struct model_tokens *b)
{
    for (uint32_t i = 0; i < a->n && i < b->n; i++) {
        if (rank(a->token[i]) != rank(b->token[i])) {
            return rank(a->token[i]) < rank(b->token[i]);
        }
    }
    return false;
}

/* The source that should be found; n: none. Nobody publishes to an empty subject. */
static unsigned model_find(const struct text *sources, unsigned n, struct str subject)
{
    static struct model_tokens tokens;
    static struct model_tokens other;
    static struct model_tokens best;
    unsigned found = n;

    model_split(subject, &tokens);
    for (unsigned i = 0; i < n && subject.n; i++) {
        if (str_equal(text_str(&sources[i]), subject)) {
            return i;
        }
        model_split(text_str(&sources[i]), &other);
        if (model_accepts(&other, &tokens) && (found == n || model_is_better(&other, &best))) {
            found = i;
            best = other;
        }
    }
    return found;
}

static bool is_known(const struct text *sources, unsigned n, struct str source)
{
    for (unsigned i = 0; i < n; i++) {
        if (str_equal(text_str(&sources[i]), source)) {
            return true;
        }
    }
    return false;
}

static void test_random(void **state)
{
    uint64_t random = 22;
    unsigned n_found = 0;

    (void)state;
    for (unsigned i = 0; i < N_TABLES; i++) {
        struct mappings *m = mappings_new((struct str){0});
        struct text sources[MAX_SOURCES];
        unsigned wanted = below(&random, MAX_SOURCES + 1);
        unsigned n = 0;

        for (unsigned k = 0; k < wanted; k++) {
            char dest[16];

            make_text(&sources[n], &random, true);
            if (!is_known(sources, n, text_str(&sources[n]))) {
                bool has_rest = sources[n].p[sources[n].n - 1] == '>';

                snprintf(dest, sizeof(dest), "%u%s", n, has_rest ? ".>" : "");
                add(m, text_str(&sources[n]), str_of(dest));
                n++;
            }
        }
        for (unsigned k = 0; k < N_QUESTIONS; k++) {
            struct buf out = {0};
            struct text subject;
            const struct mapping *one;

            make_text(&subject, &random, false);
            one = mappings_find(m, text_str(&subject));
            unsigned found = model_find(sources, n, text_str(&subject));

            assert_int_equal(one != NULL, found < n);
            if (one) {
                struct str got = mapping_apply(one, text_str(&subject), 0, &out);

                assert_int_equal(got.p[0], '0' + (char)found);
                n_found++;
            }
            buf_deinit(&out);
        }
        mappings_free(m);
    }
    assert_in_range(n_found, N_TABLES * N_QUESTIONS / 10, N_TABLES * N_QUESTIONS / 10 * 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),        cmocka_unit_test(test_long_subjects),
        cmocka_unit_test(test_subsets),     cmocka_unit_test(test_weights),
        cmocka_unit_test(test_draws_twice), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
