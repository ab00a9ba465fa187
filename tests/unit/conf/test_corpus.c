/* SPDX-License-Identifier: Apache-2.0 */
/* The files of tests/conf-corpus: what nats-server 2.15.1 says of each is in its corpus.tsv (C-01,
 * C-02). What options say of their values is not tested here.
 *   test_corpus FOLDER */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "conf/parse.h"

#define LINE_BYTES 4096
#define MIN_FILES 100

enum column { FILE_NAME, VERDICT, MESSAGE, EXERCISES, ENVIRONMENT, N_COLUMNS };

/* Cuts a line into its columns. */
static void split(char *line, char *columns[N_COLUMNS])
{
    line[strcspn(line, "\n")] = '\0';
    for (int i = 0; i < N_COLUMNS; i++) {
        columns[i] = line ? strsep(&line, "\t") : NULL;
    }
}

/* Sets, or removes again, what is written as "A=1|B=2". */
static void set_environment(char *variables, bool is_set)
{
    char *variable;

    while (variables && (variable = strsep(&variables, "|")) != NULL && *variable) {
        char *value = strchr(variable, '=');

        assert_non_null(value);
        *value = '\0';
        assert_int_equal(is_set ? setenv(variable, value + 1, 1) : unsetenv(variable), 0);
        *value = '=';
    }
}

/* A message without the backslashes of the table. */
static void unescape(const char *text, struct buf *out)
{
    for (const char *p = text; *p; p++) {
        if (*p != '\\') {
            buf_add_char(out, *p);
            continue;
        }
        p++;
        buf_add_char(out, *p == '0' ? '\0' : *p == 'n' ? '\n' : *p);
    }
}

/* Whether a message is about the language, not about an option. */
static bool is_of_language(struct str message)
{
    static const char *const begins[] = {
        "Parse error on line ", "variable reference ",         "integer ",
        "config is invalid ",   "error parsing include file ", "expected Zulu "};

    for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
        if (str_starts_with(message, str_of(begins[i]))) {
            return true;
        }
    }
    return memmem(message.p, message.n, ": config has no values", 22) != NULL;
}

static void check_file(char *columns[N_COLUMNS])
{
    bool is_valid = strcmp(columns[VERDICT], "valid") == 0;
    struct conf_tree tree;
    struct diag d = {0};
    struct buf want = {0};
    char digest[CONF_DIGEST_MAX] = "";
    enum status st = conf_parse_file(columns[FILE_NAME], &tree, &d);
    struct str got = diag_first(&d);

    unescape(columns[MESSAGE], &want);
    if (is_valid && st == ST_OK) {
        conf_digest(tree.root, digest);
        got = str_of(digest);
    }
    if ((is_valid || is_of_language(buf_str(&want))) && !str_equal(got, buf_str(&want))) {
        fail_msg("%s: %.*s\nwanted %.*s", columns[FILE_NAME], STR_ARG(got), STR_ARG(want));
    }
    if (!is_valid && !is_of_language(buf_str(&want)) && (st != ST_OK || d.n_warnings)) {
        fail_msg("%s: %.*s", columns[FILE_NAME], STR_ARG(got));
    }
    buf_deinit(&want);
    conf_tree_deinit(&tree);
    diag_deinit(&d);
}

static void test_corpus(void **state)
{
    FILE *f = fopen("corpus.tsv", "r");
    char line[LINE_BYTES];
    char *columns[N_COLUMNS];
    unsigned n = 0;

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        split(line, columns);
        if (line[0] == '#') {
            continue;
        }
        assert_non_null(columns[MESSAGE]);
        char *variables = columns[ENVIRONMENT] ? strdup(columns[ENVIRONMENT]) : NULL;
        set_environment(columns[ENVIRONMENT], true);
        check_file(columns);
        set_environment(variables, false);
        free(variables);
        n++;
    }
    assert_int_equal(fclose(f), 0);
    assert_true(n > MIN_FILES);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus)};

    if (argc != 2 || chdir(argv[1]) != 0) {
        fprintf(stderr, "usage: test_corpus FOLDER\n");
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
