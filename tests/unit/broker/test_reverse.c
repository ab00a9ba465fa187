/* SPDX-License-Identifier: Apache-2.0 */
/* broker/index.h: questions that are patterns, counts, and whether anybody listens. The random
 * comparison with a naive model is in test_index.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "broker/index.h"
#include "broker/sub.h"
#include "proto/subject.h"

static struct sub *add(struct index *ix, const char *subject, const char *queue)
{
    struct sub *s = sub_new(0, NULL, str_of(subject), str_of(queue), STR("1"));

    index_add(ix, s);
    return s;
}

/* Adds a subscription that goes with the index. */
static void put(struct index *ix, const char *subject, const char *queue)
{
    sub_unref(add(ix, subject, queue));
}

static unsigned related(struct index *ix, const char *pattern, enum trie_relation relation)
{
    struct match *m = index_reverse_match(ix, 0, str_of(pattern), relation);
    unsigned n = m ? m->n_subs : 0;

    match_free(m);
    return n;
}

static uint64_t count(struct index *ix, const char *subject, const char *queue)
{
    struct index_census census = {.subject = str_of(subject), .queue = str_of(queue)};

    return index_count_matches(ix, 0, &census);
}

static void test_relations(void **state)
{
    static const struct {
        const char *pattern;
        unsigned n_covered, n_overlaps;
    } cases[] = {
        {"a", 1, 3},       // a; * >
        {"a.b", 1, 5},     // a.b; a.* a.> *.b >
        {"a.*", 2, 5},     // a.b a.*; a.> *.b >
        {"a.>", 5, 7},     // a.b a.* a.> a.b.c a.*.c; *.b >
        {"*", 2, 3},       // a *; >
        {"*.*", 3, 5},     // a.b a.* *.b; a.> >
        {"*.>", 6, 7},     // all but a * >; >
        {">", 9, 9},       // all
        {"a.b.c", 1, 4},   // a.b.c; a.*.c a.> >
        {"*.*.c", 2, 4},   // a.b.c a.*.c; a.> >
        {"*.b.>", 1, 4},   // a.b.c; a.*.c a.> >
        {"a.b.c.d", 0, 2}, // a.> >
        {"x.y", 0, 1},     // >
        {"x.b", 0, 2},     // *.b >
        {"a.>>", 0, 3},    // a.* a.> >
    };
    static const char *const subjects[] = {"a",   "a.b", "a.*",   "a.>",  "*",
                                           "*.b", ">",   "a.b.c", "a.*.c"};
    struct index *ix = index_new(1);

    (void)state;
    assert_int_equal(related(ix, ">", TRIE_OVERLAPS), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(subjects); i++) {
        put(ix, subjects[i], "");
    }
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(related(ix, cases[i].pattern, TRIE_COVERED), cases[i].n_covered);
        assert_int_equal(related(ix, cases[i].pattern, TRIE_OVERLAPS), cases[i].n_overlaps);
    }
    index_free(ix);
}

/* A match made by a pattern is like others: counted, sorted by group. */
static void test_what_is_found(void **state)
{
    struct index *ix = index_new(1);
    struct sub *plain = add(ix, "a.b", "");
    struct sub *member = add(ix, "a.*", "q");
    struct sub *other = add(ix, "a.c", "q");
    struct match *m = index_reverse_match(ix, 0, STR("a.*"), TRIE_COVERED);

    (void)state;
    assert_non_null(m);
    assert_int_equal(m->n_plain, 1);
    assert_ptr_equal(m->subs[0], plain);
    assert_int_equal(m->n_groups, 1);
    assert_int_equal(m->groups[0].n, 2);
    assert_int_equal(atomic_load(&member->refs), 3);
    match_free(m);
    index_free(ix);
    sub_unref(plain);
    sub_unref(member);
    sub_unref(other);
}

/* Wide nodes, deep subjects, and all below. */
static void test_large(void **state)
{
    const size_t n_tokens = 100000;
    char *deep = mem_alloc(2 * n_tokens + 2);
    struct index *ix = index_new(1);
    char subject[64];

    (void)state;
    for (unsigned i = 0; i < 30000; i++) {
        snprintf(subject, sizeof(subject), "w.%u%s", i, i % 3 ? ".x" : "");
        put(ix, subject, i % 2 ? "" : "q");
    }
    assert_int_equal(count(ix, "w.*", ""), 10000);
    assert_int_equal(count(ix, "*.*.x", ""), 20000);
    assert_int_equal(count(ix, ">", "q"), 15000);
    assert_int_equal(related(ix, "w.>", TRIE_OVERLAPS), 30000);
    for (size_t i = 0; i < n_tokens; i++) {
        deep[2 * i] = i % 3 ? 'a' : '*';
        deep[2 * i + 1] = '.';
    }
    for (unsigned i = 0; i < 3; i++) {
        deep[2 * n_tokens] = "ab>"[i];
        deep[2 * n_tokens + 1] = '\0';
        put(ix, deep, "");
    }
    assert_int_equal(related(ix, deep, TRIE_COVERED), 3);
    assert_int_equal(related(ix, ">", TRIE_COVERED), 30003);
    deep[2 * n_tokens] = 'b';
    assert_int_equal(related(ix, deep, TRIE_COVERED), 1);
    assert_int_equal(related(ix, deep, TRIE_OVERLAPS), 2);
    index_free(ix);
    mem_free(deep);
}

static void test_interest(void **state)
{
    struct index *ix = index_new(1);

    (void)state;
    assert_false(index_has_interest(ix, 0, STR("a")));
    put(ix, "a.*", "q");
    put(ix, "b.>", "");
    assert_true(index_has_interest(ix, 0, STR("a.b")));
    assert_true(index_has_interest(ix, 0, STR("a.>")));
    assert_true(index_has_interest(ix, 0, STR("b.c.d")));
    assert_false(index_has_interest(ix, 0, STR("b.c..d")));
    assert_false(index_has_interest(ix, 0, STR("b.c.")));
    assert_false(index_has_interest(ix, 0, STR("b")));
    assert_false(index_has_interest(ix, 0, STR("a.b.c")));
    assert_false(index_has_interest(ix, 0, STR("")));
    index_free(ix);
}

static bool has_owner(const struct sub *s)
{
    return s->owner != 0;
}

/* What nats-server 2.15.1 answers to $SYS.DEBUG.SUBSCRIBERS (X-030 and more of that kind). */
static void test_counts(void **state)
{
    static const struct {
        const char *subject, *queue;
        unsigned n;
    } cases[] = {
        {"foo.a", "", 4},    {"foo.a", "q", 2}, {"foo.*", "", 3}, {"foo.*", "q", 2},
        {"foo.b", "", 2},    {"foo.b", "q", 0}, {"", "", 0},      {".", "", 0},
        {"foo.", "", 0},     {"foo..a", "", 0}, {">", "", 9},     {"*", "", 1},
        {"*.*", "", 6},      {"foo.>", "", 3},  {"inb.*", "", 1}, {"deep.*.b", "", 1},
        {"deep.*.*", "", 1}, {">", "q9", 1},
    };
    struct index *ix = index_new(1);

    (void)state;
    put(ix, "inb.*", "");
    put(ix, "foo.*", "");
    put(ix, "foo.a", "q");
    put(ix, "foo.a", "q");
    put(ix, "imp.st", "");
    put(ix, "imp.x", "");
    put(ix, "deep.a.b", "");
    put(ix, ">", "q9");
    put(ix, "svc", "");
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(count(ix, cases[i].subject, cases[i].queue), cases[i].n);
    }
    struct index_census some = {.subject = STR(">"), .counts = has_owner};
    struct sub *owned = sub_new(1, NULL, STR("foo.a"), STR("q"), STR("1"));

    assert_int_equal(index_count_matches(ix, 0, &some), 0);
    index_add(ix, owned);
    assert_int_equal(index_count_matches(ix, 0, &some), 1);
    some.queue = STR("q");
    assert_int_equal(index_count_matches(ix, 0, &some), 1);
    some.queue = STR("q9");
    assert_int_equal(index_count_matches(ix, 0, &some), 0);
    sub_unref(owned);
    index_free(ix);
}

/* Cuts a line at its next tab or at its end. */
static char *next_field(char **line)
{
    char *field = *line;
    size_t n = strcspn(field, "\t\n");

    *line += n + (field[n] != '\0');
    field[n] = '\0';
    return field;
}

static bool has_odd_star(const char *filter)
{
    return strstr(filter, "*x") || strstr(filter, "*y") || strstr(filter, "*z") ||
           strstr(filter, "*q") || strstr(filter, "*oo");
}

/* Observed on nats-server 2.15.1. Tokens that only begin with "*" are plain text to us. */
static void test_subset_vectors(void **state)
{
    FILE *f = fopen(TEST_VECTORS "/subset_match.tsv", "r");
    unsigned n = 0;
    char line[256];

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        char *at = line;
        const char *subject = next_field(&at);
        const char *filter = next_field(&at);
        const char *verdict = next_field(&at);
        struct index *ix = index_new(1);

        if (line[0] != '#' && strcmp(subject, "subject") != 0 && !has_odd_star(filter)) {
            put(ix, subject, "");
            assert_int_equal(related(ix, filter, TRIE_COVERED), strcmp(verdict, "yes") == 0);
            n++;
        }
        index_free(ix);
    }
    fclose(f);
    assert_in_range(n, 35, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relations), cmocka_unit_test(test_what_is_found),
        cmocka_unit_test(test_large),     cmocka_unit_test(test_interest),
        cmocka_unit_test(test_counts),    cmocka_unit_test(test_subset_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
