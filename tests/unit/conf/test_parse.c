/* SPDX-License-Identifier: Apache-2.0 */
/* Trees, variables, the environment and includes (spec 03 A2, A11, A12). What is wanted was seen on
 * nats-server 2.15.1, but for files that include themselves: those it does not survive. */
#include "conf/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "conf_rows.h"

static void test_duplicates_c22(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a: 1, b: 2, a: x", "{a: \"x\", b: 2}"),
        CONF_ROW("a: 1, A: 2", "{a: 1, A: 2}"), // the same option, but not the same key
        CONF_ROW("a {b: 1, c: 1, b: [] }, a {d: 1}", "{a: {d: 1}}"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_pair_without_value(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a {b: }", "{b: {}}"),
        CONF_ROW("a {b }", "{b: {}}"),
        CONF_ROW("a {b {c }}", "{b: {c: {}}}"),
        CONF_ROW("a {c 1, b }, d: 2", "{b: {c: 1}, d: 2}"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_variables_c16(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("P: 1, a: $P, b [$P, $P]", "{P: 1, a: 1, b: [1, 1]}"),
        CONF_ROW("P: 1, a {P: 2, b {c: $P}}, d: $P", "{P: 1, a: {P: 2, b: {c: 2}}, d: 1}"),
        CONF_ROW("a {P: 2}, b: $P", "!variable reference for 'P' on line 1 can not be found"),
        CONF_ROW("a: $P\nP: 1", "!variable reference for 'P' on line 1 can not be found"),
        CONF_ROW("P: 1\na: $p", "!variable reference for 'p' on line 2 can not be found"),
        CONF_ROW("P: 1, a: $P, P: 2, b: $P", "{P: 2, a: 1, b: 2}"),
        CONF_ROW("P [x, {y: 1}], a: $P, b: $P",
                 "{P: [\"x\", {y: 1}], a: [\"x\", {y: 1}], b: [\"x\", {y: 1}]}"),
        CONF_ROW("P: 1, a: \"$P\", b: '$P', c: $\\x50, d: x$P",
                 "{P: 1, a: \"$P\", b: \"$P\", c: \"$P\", d: \"x$P\"}"),
        CONF_ROW("a {b: $a}", "!variable reference for 'a' on line 1 can not be found"),
        CONF_ROW("a: $", "!variable reference for '' on line 1 can not be found"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_bcrypt_c19(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a: $2a$10$xyz, b: \"$2b$10$xyz\"", "{a: \"$2a$10$xyz\", b: \"$2b$10$xyz\"}"),
        CONF_ROW("a: $2b$10$xyz", "!variable reference for '2b$10$xyz' on line 1 can not be found"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_used_variables_c17(void **state)
{
    struct conf_tree tree;
    struct diag d = {0};
    const char *text = "P: 1, Q: 2, R: 3, R: 4, S: 5, a: $P, b {R: $R, Q: 0, c: $Q}, d: $S, S: 6";

    (void)state;
    assert_int_equal(conf_parse_text("t.conf", str_of(text), &tree, &d), ST_OK);
    assert_true(node_find(tree.root, STR("P"))->is_variable);
    assert_false(node_find(tree.root, STR("Q"))->is_variable); // the inner one was
    assert_true(node_find(tree.root, STR("R"))->is_variable);
    assert_false(node_find(tree.root, STR("S"))->is_variable); // the one before it was
    assert_false(node_find(tree.root, STR("a"))->is_variable);
    assert_true(node_find(node_find(tree.root, STR("b")), STR("Q"))->is_variable);
    conf_tree_deinit(&tree);
    diag_deinit(&d);
}

static void test_environment_c18(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a [$T_INT, $T_QUOTED, $T_LIST, $T_MAP, $T_TWO, $T_EMPTY]",
                 "{a: [14333, \"14333\", [1, \"x\"], {b: true}, 1, \"\"]}"),
        CONF_ROW("T_INT: 1, a: $T_INT", "{T_INT: 1, a: 1}"),
        CONF_ROW("a: $T_INDIRECT", "{a: 14333}"),
        CONF_ROW("\na: $T_WORDS",
                 "!variable reference for 'T_WORDS' on line 2 could not be parsed: Parse error on "
                 "line 1: 'Expected a top-level value to end with a new line, comment or EOF, but "
                 "got 'b' instead.'"),
        CONF_ROW("a: $T_LOOP", "!variable reference for 'T_LOOP' on line 1 could not be parsed: "
                               "variable reference for 'T_LOOP2' on line 1 could not be parsed: "
                               "variable reference for 'T_LOOP' on line 1 could not be parsed: "
                               "variable reference cycle for 'T_LOOP'"),
        CONF_ROW("P: 1, a: $T_NOT_SEEN",
                 "!variable reference for 'T_NOT_SEEN' on line 1 could not be parsed: "
                 "variable reference for 'P' on line 1 can not be found"),
        CONF_ROW("a: $T_VANISHES",
                 "!variable reference for 'T_VANISHES' on line 1 can not be found"),
        CONF_ROW("a: $T_INCLUDE",
                 "!variable reference for 'T_INCLUDE' on line 1 could not be parsed: error parsing "
                 "include file 'none', error opening config file: open none: no such file or "
                 "directory"),
    };
    static const char *const variables[][2] = {
        {"T_INT", "14333"},
        {"T_QUOTED", "\"14333\""},
        {"T_LIST", "[1 , x]"},
        {"T_MAP", "{b: on}"},
        {"T_TWO", "1; c: 2"},
        {"T_EMPTY", ""},
        {"T_INDIRECT", "$T_INT"},
        {"T_WORDS", "a b"},
        {"T_LOOP", "$T_LOOP2"},
        {"T_LOOP2", "$T_LOOP"},
        {"T_NOT_SEEN", "$P"},
        {"T_VANISHES", "1kbb"},
        {"T_INCLUDE", "1; include none"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
        assert_int_equal(setenv(variables[i][0], variables[i][1], 1), 0);
    }
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_places_of_environment(void **state)
{
    struct conf_tree tree;
    struct diag d = {0};

    (void)state;
    assert_int_equal(setenv("T_LIST", "[1 , x]", 1), 0);
    assert_int_equal(conf_parse_text("t.conf", STR("a: $T_LIST, b [$T_LIST]"), &tree, &d), ST_OK);
    const struct node *a = tree.root->first;
    assert_string_equal(a->at.file, "t.conf");
    assert_null(a->first->at.file);
    assert_string_equal(a->next->first->at.file, "t.conf");
    assert_int_equal(a->next->first->at.column, 16);
    conf_tree_deinit(&tree);
    diag_deinit(&d);
}

/* ---- includes: in a folder of their own */

static const char *const files[][2] = {
    {"base.conf", "a: 1, P: 2\n"},
    {"deep/outer.conf", "include './inner.conf'\nx: 1"},
    {"deep/inner.conf", "y: 1"},
    {"uses.conf", "a: $P"},
    {"bad.conf", "a: [\n"},
    {"half.conf", "\nkey"},
    {"empty.conf", "# nothing\n"},
    {"self.conf", "include ./deep/../self.conf"},
    {"ring.conf", "a {include deep/ring.conf}"},
    {"deep/ring.conf", "include ../ring.conf"},
};

static int make_files(void **state)
{
    static char folder[] = "/tmp/test_parse_XXXXXX";

    *state = folder;
    if (!mkdtemp(folder) || chdir(folder) != 0 || mkdir("deep", 0700) != 0) {
        return -1;
    }
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        FILE *f = fopen(files[i][0], "wb");

        if (!f || fputs(files[i][1], f) < 0 || fclose(f) != 0) {
            return -1;
        }
    }
    return 0;
}

static int remove_files(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        unlink(files[i][0]);
    }
    return rmdir("deep") == 0 && rmdir(*state) == 0 ? 0 : -1;
}

static void test_includes_c20_c21(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("include base.conf", "{a: 1, P: 2}"),
        CONF_ROW("INCLUDE\t\"base.conf\"; b: $P", "{a: 1, P: 2, b: 2}"),
        CONF_ROW("a: 0, include 'base.conf'\nP: 3", "{a: 1, P: 3}"), // C-22
        CONF_ROW("b {include base.conf}, {include base.conf }", "{b: {a: 1, P: 2}, a: 1, P: 2}"),
        CONF_ROW("include /deep/outer.conf", "{y: 1, x: 1}"),
        CONF_ROW("include empty.conf", "{}"),
        CONF_ROW("include: 1, a {include= x}", "{include: 1, a: {include: \"x\"}}"),
        CONF_ROW("P: 1, include uses.conf",
                 "!error parsing include file 'uses.conf', variable reference for 'P' on line 1 "
                 "can not be found"),
        CONF_ROW("include bad.conf",
                 "!error parsing include file 'bad.conf', Parse error on line 2: 'Expected an "
                 "array value terminator \",\" or an array terminator \"]\", but got '\0' "
                 "instead.'"),
        CONF_ROW("include half.conf",
                 "!error parsing include file 'half.conf', config is invalid (half.conf:2:4)"),
        CONF_ROW("include ./deep//none,#",
                 "!error parsing include file './deep//none,#', open deep/none,#: no such file or "
                 "directory"),
        CONF_ROW("include deep", "!error parsing include file 'deep', read deep: is a directory"),
        CONF_ROW("include ", "!error parsing include file '', read .: is a directory"),
        CONF_ROW("include 9.conf",
                 "!Parse error on line 1: 'Expected include value but found start of a number'"),
        CONF_ROW("include [", "!Parse error on line 1: 'Expected include value but found start of "
                              "an array'"),
        CONF_ROW("include \\x", "!Parse error on line 1: 'Expected include value but found escape "
                                "sequence'"),
        CONF_ROW("include\n",
                 "!Parse error on line 2: 'Expected include value but found new line'"),
        CONF_ROW("include 'x", "!Parse error on line 1: 'Unexpected EOF in quoted include'"),
        CONF_ROW("include \"x",
                 "!Parse error on line 1: 'Unexpected EOF in double quoted include'"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void check_message(const char *path, const char *want)
{
    struct conf_tree tree;
    struct diag d = {0};

    assert_int_equal(conf_parse_file(path, &tree, &d), ST_FAILED);
    if (!str_equal(diag_first(&d), str_of(want))) {
        fail_msg("%s: %.*s", path, STR_ARG(diag_first(&d)));
    }
    conf_tree_deinit(&tree);
    diag_deinit(&d);
}

static void test_circles_c54(void **state)
{
    (void)state;
    check_message("self.conf", "error parsing include file './deep/../self.conf', self.conf "
                               "includes itself");
    check_message("ring.conf", "error parsing include file 'deep/ring.conf', error parsing include "
                               "file '../ring.conf', ring.conf includes itself");
}

static void test_files(void **state)
{
    struct conf_tree tree;
    struct diag d = {0};

    (void)state;
    check_message("none.conf", "open none.conf: no such file or directory");
    check_message("./deep", "read ./deep: is a directory");

    assert_int_equal(conf_parse_file("./deep/outer.conf", &tree, &d), ST_OK);
    assert_string_equal(node_find(tree.root, STR("x"))->at.file, "./deep/outer.conf");
    assert_string_equal(node_find(tree.root, STR("y"))->at.file, "deep/inner.conf");
    assert_int_equal(d.n_warnings, 0);
    conf_tree_deinit(&tree);

    assert_int_equal(conf_parse_file("empty.conf", &tree, &d), ST_OK);
    assert_int_equal(d.n_warnings, 1);
    assert_true(str_equal(diag_first(&d), STR("empty.conf: config has no values or is empty")));
    conf_tree_deinit(&tree);
    diag_deinit(&d);
}

static void test_depth(void **state)
{
    enum { DEPTH = 100000 };
    struct conf_tree tree;
    struct diag d = {0};
    struct buf text = {0};

    (void)state;
    for (int i = 0; i < DEPTH; i++) {
        buf_add(&text, i % 2 ? STR("[") : STR("{a "));
    }
    for (int i = DEPTH; i-- > 0;) {
        buf_add_char(&text, i % 2 ? ']' : '}');
    }
    struct str all = buf_str(&text);
    all.p += 1; // "a [{a [{…}]}]"
    all.n -= 2;
    assert_int_equal(conf_parse_text("t.conf", all, &tree, &d), ST_OK);
    conf_tree_deinit(&tree);
    buf_deinit(&text);
    diag_deinit(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_duplicates_c22),
        cmocka_unit_test(test_pair_without_value),
        cmocka_unit_test(test_variables_c16),
        cmocka_unit_test(test_bcrypt_c19),
        cmocka_unit_test(test_used_variables_c17),
        cmocka_unit_test(test_environment_c18),
        cmocka_unit_test(test_places_of_environment),
        cmocka_unit_test(test_includes_c20_c21),
        cmocka_unit_test(test_circles_c54),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_depth),
    };

    return cmocka_run_group_tests(tests, make_files, remove_files);
}
