/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, separators, terminators, comments, brackets and their messages (spec 03 A1 to A3, A10).
 * What is wanted was seen on nats-server 2.15.1. */
#include "conf/lex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "conf/parse.h"
#include "conf_rows.h"

#define TOP_END                                                                                    \
    "!Parse error on line 1: 'Expected a top-level value to end with a new line, "                 \
    "comment or EOF, but got "
#define BLOCK_END                                                                                  \
    "!Parse error on line 1: 'Expected a block-level value to end with a new line, "               \
    "comment or EOF, but got "
#define MAP_END                                                                                    \
    "!Parse error on line 1: 'Expected a map value terminator \",\" or a map "                     \
    "terminator \"}\", but got "
#define ARRAY_END                                                                                  \
    "!Parse error on line 1: 'Expected an array value terminator \",\" or an array "               \
    "terminator \"]\", but got "

static void test_separators_c06(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a: 1", "{a: 1}"),
        CONF_ROW("a = 1", "{a: 1}"),
        CONF_ROW("a 1", "{a: 1}"),
        CONF_ROW("a\n1", "{a: 1}"),
        CONF_ROW("a\n\n=1", "{a: 1}"),
        CONF_ROW("a\xc2\xa0\x0b: 1", "{a: 1}"),
        CONF_ROW("a==x", "{a: \"=x\"}"),
        CONF_ROW("a := 1", TOP_END "'1' instead.'"),
        CONF_ROW("= 1", "!Parse error on line 1: 'Unexpected key separator '=''"),
        CONF_ROW("a {:1}", "!Parse error on line 1: 'Unexpected key separator ':'.'"),
        CONF_ROW("{=1}", "!Parse error on line 1: 'Unexpected key separator '=''"),
        CONF_ROW("a:", "{a: \"\"}"),
        CONF_ROW("a", "!config is invalid (t.conf:1:1)"),
        CONF_ROW("x 1\na \n", "!config is invalid (t.conf:3:1)"),
        CONF_ROW("a {'b'", MAP_END "'\0' instead.'"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_line_end_before_a_value_c07(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a:\n1", "!Parse error on line 2: 'Expected value but found new line'"),
        CONF_ROW("a:\r1", "!Parse error on line 1: 'Expected value but found new line'"),
        CONF_ROW("{a:\n1}", "!Parse error on line 2: 'Expected value but found new line'"),
        CONF_ROW("a {b:\n1}", "{a: {b: 1}}"),
        CONF_ROW("a {b\n:\n\n1}", "{a: {b: 1}}"),
        CONF_ROW("a [\n\n1\n]", "{a: [1]}"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_line_ends_c08(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a: 1\nb {c: 2\nd: [x\ny]}\n", "{a: 1, b: {c: 2, d: [\"x\", \"y\"]}}"),
        CONF_ROW("a: 1\r\nb {c: 2\r\nd: [x\r\ny]}\r\n", "{a: 1, b: {c: 2, d: [\"x\", \"y\"]}}"),
        CONF_ROW("a: 1\rb {c: 2\rd: [x\ry]}\r", "{a: 1, b: {c: 2, d: [\"x\", \"y\"]}}"),
        CONF_ROW("# c\ra: 1 // d\rb: 2", "{a: 1, b: 2}"),
        CONF_ROW("a: 1\r\n\r\n= 2", "!Parse error on line 3: 'Unexpected key separator '=''"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_comments_c09(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("# c\n// d\na: 1 # e\nb: 2 // f", "{a: 1, b: 2}"),
        CONF_ROW("a: #x", "{a: \"#x\"}"),
        CONF_ROW("a: //x", "{a: \"//x\"}"),
        CONF_ROW("a:x#y//z", "{a: \"x#y//z\"}"),
        CONF_ROW("a # c", TOP_END "'c' instead.'"),
        CONF_ROW("a [ # c\n x, // d\n y # e\n ]", "{a: [\"x\", \"y\"]}"),
        CONF_ROW("a { # c\n b: 1 // d\n # e\n }", "{a: {b: 1}}"),
        CONF_ROW("{ # c\n b: 1 // d\n # e\n } # f", "{b: 1}"),
        CONF_ROW("a 1 // c", "{a: 1}"),
        CONF_ROW("// c", "{}"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_keys(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("authorization{user: a}", "{authorization{user: \"a\"}"),
        CONF_ROW(";a: 1", "{;a: 1}"),
        CONF_ROW("\"a b\\\": 1, '': 2, 'x\"y' = 3", "{a b\\: 1, : 2, x\"y: 3}"),
        CONF_ROW("\"a\": 1, 'b' 2", "{a: 1, b: 2}"),
        CONF_ROW("\"a", "!Parse error on line 1: 'Unexpected EOF.'"),
        CONF_ROW("'", "{}"),
        CONF_ROW("a {'b", "!Parse error on line 1: 'Unexpected EOF processing quoted map key.'"),
        CONF_ROW("a {\"b",
                 "!Parse error on line 1: 'Unexpected EOF processing double quoted map key.'"),
        CONF_ROW("a {b", "!Parse error on line 1: 'Unexpected EOF processing map key.'"),
        CONF_ROW("a {b}", "!Parse error on line 1: 'Unexpected EOF processing map key.'"),
        CONF_ROW("a {", "!Parse error on line 1: 'Unexpected EOF processing map.'"),
        CONF_ROW("a {]}", "!Parse error on line 1: 'Unexpected array end ']' processing map.'"),
        CONF_ROW("/a: 1", "!Parse error on line 1: 'Unexpected EOF.'"),
        CONF_ROW("{ /a: 1}", "!Parse error on line 1: 'Unexpected EOF.'"),
        CONF_ROW("a {/b: 1, /=c: 2}", "{a: {b: 1, =c: 2}}"),
        CONF_ROW("a {/ b: 1}", "{a: { b: 1}}"),
        CONF_ROW("\xef\xbb\xbfport: 1", "{\xef\xbb\xbfport: 1}"), // C-23: nobody knows this key
        CONF_ROW("\xc2\x85\xe3\x80\x80 a: 1", "{a: 1}"),
        CONF_ROW("a: 1\n}", "{a: 1}"),
        CONF_ROW("}", "{}"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_ends_of_values(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a: 1; b: 2, c: 3 } d: 4 / \n e: 5", "{a: 1, b: 2, c: 3, d: 4, e: 5}"),
        CONF_ROW("a: 1 b: 2", TOP_END "'b' instead.'"),
        CONF_ROW("a: x]", TOP_END "']' instead.'"),
        CONF_ROW("a {b: 1; c: 2, d: 3 / e: 4\n f: 5,}", "{a: {b: 1, c: 2, d: 3, e: 4, f: 5}}"),
        CONF_ROW("a {b: 1 c: 2}", MAP_END "'c' instead.'"),
        CONF_ROW("a {b: 1", MAP_END "'\0' instead.'"),
        CONF_ROW("a {b: ,}", "!Parse error on line 1: 'Unexpected map value terminator \",\".'"),
        CONF_ROW("a [x, y / z\n w, ]", "{a: [\"x\", \"y\", \"z\", \"w\"]}"),
        CONF_ROW("a [x y]", ARRAY_END "'y' instead.'"),
        CONF_ROW("a [x; y]", ARRAY_END "';' instead.'"),
        CONF_ROW("a [x\t", ARRAY_END "'\0' instead.'"),
        CONF_ROW("a [x,,y]", "!Parse error on line 1: 'Unexpected array value terminator ','.'"),
        CONF_ROW("a [/x]", "!Parse error on line 1: 'Unexpected array value terminator ','.'"),
        CONF_ROW("a: \"x\"\xc3\xa9", TOP_END "'\xc3\xa9' instead.'"),
        CONF_ROW("a: \"x\"\xff", TOP_END "'\xef\xbf\xbd' instead.'"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_braces_of_the_file(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("{\"a\": 1, \"b\": {\"c\": [true ]}}", "{a: 1, b: {c: [true]}}"),
        CONF_ROW("{a: 1} b: 2 {c: 3}", TOP_END "'{' instead.'"),
        CONF_ROW("{a: 1}{b: 2}\n{c: 3,}d: 4", "{a: 1, b: 2, c: 3, d: 4}"),
        CONF_ROW("{{a: 1}, b: 2}", "{a: 1, b: 2}"),
        CONF_ROW("{{a: 1}\n/ ; b: 2}", "{a: 1, b: 2}"),
        CONF_ROW("{{a: 1} # c\n b: 2} c: 3", "{a: 1, b: 2, c: 3}"),
        CONF_ROW("{{a: 1} # c", "{a: 1}"),
        CONF_ROW("{{a: 1}\nb: 2}",
                 "!Parse error on line 2: 'Expected a block-level to end with a '}', but got "
                 "'b' instead.'"),
        CONF_ROW("{a: 1", BLOCK_END "'\0' instead.'"),
        CONF_ROW("{a: 1 b", BLOCK_END "'b' instead.'"),
        CONF_ROW("{a: x\n", "{a: \"x\"}"),
        CONF_ROW("{", "{}"),
        CONF_ROW("{}}", "{}"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void test_nul_bytes(void **state)
{
    static const struct conf_row rows[] = {
        CONF_ROW("a: 1\0b: 2", "{a: 1, b: 2}"),
        CONF_ROW("\0", "!Parse error on line 1: 'Unexpected EOF.'"),
        CONF_ROW("a\0: 1", "!config is invalid (t.conf:1:1)"),
        CONF_ROW("a: x\0y\n", "!config is invalid (t.conf:2:1)"),
        CONF_ROW("a: 'x\0'", "!Parse error on line 1: 'Unexpected EOF.'"),
        CONF_ROW("# x\0", "!Parse error on line 1: 'Unexpected EOF.'"),
        CONF_ROW("a: 1 # x\0", "!Parse error on line 1: 'Unexpected EOF.'"),
        CONF_ROW("a [x\0]", ARRAY_END "'\0' instead.'"),
        CONF_ROW("{a x\0}", BLOCK_END "'\0' instead.'"),
    };

    (void)state;
    conf_rows_check(rows, ARRAY_SIZE(rows));
}

static void check_place(const struct node *n, uint32_t line, uint32_t column)
{
    assert_non_null(n);
    assert_string_equal(n->at.file, "t.conf");
    assert_int_equal(n->at.line, line);
    assert_int_equal(n->at.column, column);
}

static void test_places_c03(void **state)
{
    const char *text = "a: 1; 'b': 2\n  c: 3\n\td [\n x, \"y\\tz\", {e: 4} ]\n";
    struct conf_tree tree;
    struct diag d = {0};

    (void)state;
    assert_int_equal(conf_parse_text("t.conf", str_of("x {\n\xc3\xa9 1\n}"), &tree, &d), ST_OK);
    check_place(node_find(tree.root, STR("X")), 1, 0);
    check_place(node_find(tree.root, STR("x"))->first, 2, 1);
    conf_tree_deinit(&tree);

    assert_int_equal(conf_parse_text("t.conf", str_of(text), &tree, &d), ST_OK);
    check_place(node_find(tree.root, STR("a")), 1, 0);
    check_place(node_find(tree.root, STR("b")), 1, 7);
    check_place(node_find(tree.root, STR("c")), 2, 3);
    const struct node *list = node_find(tree.root, STR("d"));
    check_place(list, 3, 2);
    check_place(list->first, 4, 2);
    check_place(list->first->next, 4, 7);        // counted back from its end, as in the reference
    check_place(list->first->next->next, 4, 19); // of a map: behind it
    check_place(list->first->next->next->first, 4, 14);
    conf_tree_deinit(&tree);
    diag_deinit(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_separators_c06),
        cmocka_unit_test(test_line_end_before_a_value_c07),
        cmocka_unit_test(test_line_ends_c08),
        cmocka_unit_test(test_comments_c09),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_ends_of_values),
        cmocka_unit_test(test_braces_of_the_file),
        cmocka_unit_test(test_nul_bytes),
        cmocka_unit_test(test_places_c03),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
