/* SPDX-License-Identifier: Apache-2.0 */
/* proto/subject.h: the vectors observed on nats-server 2.15.1, and properties against a naive
 * split. */
#include "proto/subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "subject_model.h"
#include "vectors.h"

static void test_match_vectors(void **state)
{
    FILE *f = vectors_open("subject_match.tsv");
    unsigned n = 0;
    struct vector_row row;

    (void)state;
    for (; vectors_next(f, &row); n++) {
        struct str pattern = row.field[0];
        struct str subject = row.field[1];

        assert_int_equal(row.n_fields, 3);
        if (str_equal(row.field[2], STR("invalid"))) {
            assert_false(subject_is_valid(pattern));
            continue;
        }
        assert_true(subject_is_valid(pattern));
        if (subject_matches(subject, pattern) != str_equal(row.field[2], STR("yes"))) {
            fail_msg("%.*s vs %.*s", STR_ARG(pattern), STR_ARG(subject));
        }
    }
    assert_true(n > 90);
    (void)fclose(f);
}

static void test_validity_vectors(void **state)
{
    FILE *f = vectors_open("subject_validity.tsv");
    unsigned n = 0;
    struct vector_row row;

    (void)state;
    for (; vectors_next(f, &row); n++) {
        struct str subject = row.field[0];

        assert_int_equal(row.n_fields, 5);
        if (str_equal(row.field[1], STR("n/a"))) {
            continue; // cannot be said on the wire
        }
        if (subject_is_valid(subject) != str_equal(row.field[1], STR("valid")) ||
            subject_is_literal(subject) != str_equal(row.field[2], STR("valid")) ||
            subject_matches(subject, STR(">")) != str_equal(row.field[3], STR("yes"))) {
            fail_msg("%.*s", STR_ARG(subject));
        }
    }
    assert_true(n > 60);
    (void)fclose(f);
}

static void test_empty_subject(void **state)
{
    struct str none = {0};

    (void)state;
    assert_false(subject_is_valid(none));
    assert_false(subject_is_literal(none));
    assert_int_equal(subject_count_tokens(none), 1);
    assert_false(subject_matches(none, STR(">")));
    assert_false(subject_matches(none, STR("*")));
    assert_false(subject_matches(none, STR("a")));
}

static void test_next_token(void **state)
{
    struct str rest = STR("a..bc.");
    struct str none = {0};

    (void)state;
    assert_true(str_equal(subject_next_token(&rest), STR("a")));
    assert_true(str_equal(subject_next_token(&rest), STR("")));
    assert_true(str_equal(subject_next_token(&rest), STR("bc")));
    assert_non_null(rest.p);
    assert_true(str_equal(subject_next_token(&rest), STR("")));
    assert_null(rest.p);
    assert_int_equal(subject_next_token(&none).n, 0);
    assert_null(none.p);
}

static uint32_t random_below(uint64_t *state, uint32_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((*state >> 32) * n >> 32);
}

/* Up to 12 bytes of a small alphabet in a block of just their size, so that sanitizers see
 * over-reads. */
static struct str random_subject(uint64_t *state)
{
    static const char alphabet[] = "..aab*>";
    size_t n = random_below(state, 13);
    char *p = malloc(n ? n : 1);

    assert_non_null(p);
    for (size_t i = 0; i < n; i++) {
        p[i] = alphabet[random_below(state, sizeof(alphabet) - 1)];
    }
    return (struct str){.p = p, .n = n};
}

static void free_subject(struct str s)
{
    free((void *)(uintptr_t)s.p);
}

static void test_against_naive(void **state)
{
    uint64_t random = 1;
    uint32_t n_matches = 0;

    (void)state;
    for (uint32_t i = 0; i < 1000000; i++) {
        struct str literal = random_subject(&random);
        struct str pattern = random_subject(&random);
        struct model_tokens l;
        struct model_tokens p;

        model_split(literal, &l);
        model_split(pattern, &p);
        assert_int_equal(subject_count_tokens(literal), l.n);
        assert_int_equal(subject_is_literal(literal), model_is_valid(&l, true));
        assert_int_equal(subject_is_valid(pattern), model_is_valid(&p, false));
        if (subject_is_valid(pattern)) {
            bool is_match = model_matches(&l, &p);

            n_matches += is_match;
            if (subject_matches(literal, pattern) != is_match) {
                fail_msg("%.*s vs %.*s", STR_ARG(literal), STR_ARG(pattern));
            }
        }
        free_subject(literal);
        free_subject(pattern);
    }
    assert_true(n_matches > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match_vectors), cmocka_unit_test(test_validity_vectors),
        cmocka_unit_test(test_empty_subject), cmocka_unit_test(test_next_token),
        cmocka_unit_test(test_against_naive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
