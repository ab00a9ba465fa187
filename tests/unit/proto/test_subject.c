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

#define MAX_FIELDS 8
#define MAX_LINE 1024

/** A row of a vector file: fields with their escapes undone, back to back in `bytes`. */
struct row {
    struct str field[MAX_FIELDS];
    unsigned n_fields;
    char bytes[MAX_LINE];
};

static size_t put_utf8(char *to, unsigned c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    to[0] = (char)(0xe0 | c >> 12);
    to[1] = (char)(0x80 | (c >> 6 & 0x3f));
    to[2] = (char)(0x80 | (c & 0x3f));
    return 3;
}

/* Undoes the escape after a backslash at p. @return  bytes of it */
static size_t unescape(const char *p, char *to, size_t *n)
{
    char hex[5] = {0};
    size_t digits = *p == 'x' ? 2 : *p == 'u' ? 4 : 0;

    if (digits) {
        memcpy(hex, p + 1, digits);
        unsigned c = (unsigned)strtoul(hex, NULL, 16);

        *n = digits == 2 ? (to[0] = (char)c, 1) : put_utf8(to, c);
        return 1 + digits;
    }
    *to = *p == 't' ? '\t' : *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p;
    *n = 1;
    return 1;
}

static void parse_row(const char *p, struct row *row)
{
    char *to = row->bytes;
    char *start = to;

    row->n_fields = 0;
    for (;; p++) {
        if (*p == '\t' || *p == '\n' || *p == '\0') {
            assert_true(row->n_fields < MAX_FIELDS);
            row->field[row->n_fields++] = (struct str){.p = start, .n = (size_t)(to - start)};
            start = to;
            if (*p != '\t') {
                return;
            }
        } else if (*p == '\\') {
            size_t n;

            p += unescape(p + 1, to, &n);
            to += n;
        } else {
            *to++ = *p;
        }
    }
}

static FILE *open_vectors(const char *name)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", TEST_VECTORS, name);
    f = fopen(path, "r");
    assert_non_null(f);
    return f;
}

/* @return  whether there was a row; comments and the header are skipped */
static bool next_row(FILE *f, struct row *row, bool *had_header)
{
    char line[MAX_LINE];

    while (fgets(line, sizeof(line), f)) {
        if (line[0] == '#') {
            continue;
        }
        if (*had_header) {
            parse_row(line, row);
            return true;
        }
        *had_header = true;
    }
    return false;
}

static void test_match_vectors(void **state)
{
    FILE *f = open_vectors("subject_match.tsv");
    bool had_header = false;
    unsigned n = 0;
    struct row row;

    (void)state;
    for (; next_row(f, &row, &had_header); n++) {
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
    FILE *f = open_vectors("subject_validity.tsv");
    bool had_header = false;
    unsigned n = 0;
    struct row row;

    (void)state;
    for (; next_row(f, &row, &had_header); n++) {
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
