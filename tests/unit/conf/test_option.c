/* SPDX-License-Identifier: Apache-2.0 */
/* Option rows: defaults, look-up, setting, messages, printing. */
#include "conf/option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

enum colour { COLOUR_RED, COLOUR_GREEN, COLOUR_BLUE };

struct things {
    bool is_on;
    int64_t count;
    int64_t size;
    int64_t pause_ns;
    int64_t timeout_ns;
    int64_t strict_ns;
    const char *name;
    const char *secret;
    const char *host;
    enum colour colour;
    struct option_list tags;
    int doubled;
};

struct other_things {
    int64_t depth;
};

static const char *const colours[] = {"red", "green", "blue", NULL};

static const char *refuse_x(struct str text)
{
    return text.n && text.p[0] == 'x' ? "no x, please" : NULL;
}

static enum status set_both(void *base, const struct node *value, struct option_reader *r)
{
    struct things *t = base;

    if (value->kind != NODE_STR || !value->text.n) {
        diag_error(r->d, &value->at, "%.*s: nothing", STR_ARG(value->key));
        return ST_FAILED;
    }
    t->count = (int64_t)value->text.n;
    t->size = (int64_t)value->text.n;
    return ST_OK;
}

/* A type of its own: a number that is kept doubled. */
static enum status read_double(void *field, const struct node *value, struct option_reader *r)
{
    if (value->kind != NODE_INT) {
        return option_wrong_type(r, value, node_kind_name(NODE_INT));
    }
    *(int *)field = 2 * (int)value->number;
    return ST_OK;
}

static void release_double(void *field)
{
    *(int *)field = 0;
}

static bool equal_doubles(const void *a, const void *b)
{
    return *(const int *)a == *(const int *)b;
}

static void print_double(const void *field, struct buf *out)
{
    buf_printf(out, "%d", *(const int *)field / 2);
}

static const struct option_type double_type = {
    .read = read_double, .release = release_double, .equal = equal_doubles, .print = print_double};

static const struct option block_rows[] = {
    OPTION_DURATION("timeout", struct things, timeout_ns, .plain = OPTION_PLAIN_SECONDS,
                    .def = "2s", .zero_is_default = true, .doc = "A timeout."),
    OPTION_SECRET("password", struct things, secret, .aliases = "pass", .cli = "--pass",
                  .doc = "A secret."),
    OPTION_END};

static const struct option engine_rows[] = {OPTION_CHECKED("power", SIZE, .doc = "Not kept."),
                                            OPTION_END};

static const struct option rows[] = {
    OPTION_BOOL("is_on", struct things, is_on, .cli = "-o --on", .doc = "A switch."),
    OPTION_INT("count", struct things, count, .aliases = "n number", .min = 1, .max = 255,
               .doc = "A count that is off by default."),
    OPTION_SIZE("size", struct things, size, .def = "1MB", .min = 0, .max = INT32_MAX,
                .zero_is_default = true, .doc = "A size."),
    OPTION_DURATION("pause", struct things, pause_ns, .def = "1m", .min = 0, .max = OPTION_NO_MAX,
                    .doc = "A pause."),
    OPTION_DURATION("strict", struct things, strict_ns, .def = "2m", .min = 30 * CLOCK_SEC_NS,
                    .max = OPTION_NO_MAX, .plain = OPTION_PLAIN_REFUSED, .doc = "A long pause."),
    OPTION_STR("name", struct things, name, .refuse = refuse_x, .doc = "A name."),
    OPTION_STR("host", struct things, host, .def = "0.0.0.0", .zero_is_default = true,
               .doc = "A host."),
    OPTION_ENUM("colour", struct things, colour, .words = colours, .def = "green",
                .doc = "A colour."),
    OPTION_LIST("tags", struct things, tags, .doc = "A list."),
    OPTION_OTHER("doubled", struct things, doubled, &double_type, .doc = "A type of its own."),
    OPTION_CHECKED("later", INT, .min = 1, .max = 9, .doc = "Not kept."),
    OPTION_CHECKED("engine", BOOL, .doc = "A switch, or a block."),
    OPTION_BLOCK("engine", engine_rows, .unknown = "no \"%.*s\" in an engine", .doc = "A block."),
    OPTION_CUSTOM("both", set_both, .doc = "Two at once."),
    OPTION_BLOCK("login", block_rows, .aliases = "auth", .doc = "A block."),
    OPTION_END};

/* Another module's rows, which add to the same block. */
static const struct option other_block_rows[] = {
    OPTION_INT("depth", struct other_things, depth, .def = "3", .doc = "A depth."), OPTION_END};
static const struct option other_rows[] = {
    OPTION_BLOCK("login", other_block_rows, .doc = "More of the block."), OPTION_END};

struct fixture {
    struct things t;
    struct other_things o;
    struct option_table tables[3];
};

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    f->tables[0] = (struct option_table){.rows = rows, .base = &f->t};
    f->tables[1] = (struct option_table){.rows = other_rows, .base = &f->o};
    f->tables[2] = OPTION_TABLES_END;
    option_set_defaults(f->tables);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    option_deinit(f->tables);
    assert_null(f->t.name);
    test_free(f);
    return 0;
}

/* Sets an option by name; expects this text of errors and warnings, without the last line end. */
static void set(struct fixture *f, const char *name, const char *text, enum status st,
                const char *why)
{
    struct option_slot slot;
    struct diag d = {0};

    assert_true(option_find(f->tables, str_of(name), &slot));
    assert_int_equal(option_set_text(&slot, str_of(name), str_of(text), &d), st);
    buf_add_char(&d.text, '\0');
    if (d.text.n > 1) {
        d.text.p[d.text.n - 2] = '\0';
    }
    assert_string_equal(d.text.p, why);
    diag_deinit(&d);
}

static void test_defaults(void **state)
{
    struct fixture *f = *state;

    assert_false(f->t.is_on);
    assert_int_equal(f->t.count, 0); // outside its bounds: off
    assert_int_equal(f->t.size, 1 << 20);
    assert_int_equal(f->t.pause_ns, 60 * CLOCK_SEC_NS);
    assert_int_equal(f->t.timeout_ns, 2 * CLOCK_SEC_NS);
    assert_string_equal(f->t.name, "");
    assert_string_equal(f->t.host, "0.0.0.0");
    assert_int_equal(f->t.colour, COLOUR_GREEN);
    assert_int_equal(f->o.depth, 3);
}

static void test_find(void **state)
{
    struct fixture *f = *state;
    struct option_slot slot;

    assert_true(option_find(f->tables, STR("Number"), &slot));
    assert_string_equal(slot.row->name, "count");
    assert_true(option_find(f->tables, STR("auth.PASS"), &slot));
    assert_string_equal(slot.row->name, "password");
    assert_true(option_find(f->tables, STR("login.depth"), &slot));
    assert_ptr_equal(slot.base, &f->o);
    assert_false(option_find(f->tables, STR("login"), &slot));
    assert_false(option_find(f->tables, STR("login."), &slot));
    assert_false(option_find(f->tables, STR("timeout"), &slot));
    assert_false(option_find(f->tables, STR("count.x"), &slot));
    assert_false(option_find(f->tables, STR("n number"), &slot));
    assert_false(option_find(f->tables, STR(""), &slot));
    assert_true(option_find_flag(f->tables, STR("on"), &slot));
    assert_string_equal(slot.row->name, "is_on");
    assert_true(option_find_flag(f->tables, STR("pass"), &slot));
    assert_string_equal(slot.row->name, "password");
    assert_false(option_find_flag(f->tables, STR("On"), &slot));
    assert_false(option_find_flag(f->tables, STR("password"), &slot));
}

static void test_set_numbers(void **state)
{
    struct fixture *f = *state;

    set(f, "count", "255", ST_OK, "");
    assert_int_equal(f->t.count, 255);
    set(f, "count", "256", ST_FAILED, "count value is too big");
    set(f, "Number", "0", ST_FAILED, "Number value can not be negative");
    set(f, "count", "many", ST_FAILED, "count: \"many\" is not an integer");
    set(f, "count", "99999999999999999999", ST_FAILED,
        "integer '99999999999999999999' is out of the range");
    assert_int_equal(f->t.count, 255);
    set(f, "size", "64k", ST_OK, "");
    assert_int_equal(f->t.size, 64000);
    set(f, "size", "0", ST_OK, "");
    assert_int_equal(f->t.size, 1 << 20);
    set(f, "size", "3gb", ST_FAILED, "size value is too big");
    set(f, "is_on", "yes", ST_OK, "");
    assert_true(f->t.is_on);
    set(f, "is_on", "1", ST_FAILED, "is_on: \"1\" is neither true nor false");
    set(f, "both", "abc", ST_OK, "");
    assert_int_equal(f->t.count, 3);
    set(f, "both", "", ST_FAILED, "both: nothing");
}

static void test_set_durations(void **state)
{
    struct fixture *f = *state;

    set(f, "pause", "250ms", ST_OK, "");
    assert_int_equal(f->t.pause_ns, CLOCK_SEC_NS / 4);
    set(f, "pause", "5", ST_OK,
        "invalid use of field \"pause\": pause should be converted to a duration");
    assert_int_equal(f->t.pause_ns, 5 * CLOCK_SEC_NS);
    set(f, "pause", "1.5", ST_FAILED,
        "invalid use of field \"pause\": pause should be converted to a duration\n"
        "interface conversion: interface {} is float64, not int64");
    set(f, "pause", "-1s", ST_FAILED, "invalid pause, needs to be positive");
    set(f, "pause", "2d", ST_FAILED,
        "error parsing pause: time: unknown unit \"d\" in duration \"2d\"");
    set(f, "strict", "10s", ST_FAILED, "invalid strict of 10s, minimum is 30 seconds");
    set(f, "strict", "40", ST_FAILED, "interface conversion: interface {} is int64, not string");
    set(f, "strict", "30s", ST_OK, "");
    set(f, "login.timeout", "0.5", ST_OK, "");
    assert_int_equal(f->t.timeout_ns, CLOCK_SEC_NS / 2);
    set(f, "login.timeout", "3", ST_OK, "");
    assert_int_equal(f->t.timeout_ns, 3 * CLOCK_SEC_NS);
    set(f, "login.timeout", "0", ST_OK, "");
    assert_int_equal(f->t.timeout_ns, 2 * CLOCK_SEC_NS);
}

static void test_set_text(void **state)
{
    struct fixture *f = *state;

    set(f, "name", "a b", ST_OK, "");
    assert_string_equal(f->t.name, "a b");
    set(f, "name", "xy", ST_FAILED, "no x, please");
    assert_string_equal(f->t.name, "a b");
    set(f, "name", "", ST_OK, "");
    assert_string_equal(f->t.name, "");
    set(f, "host", "::1", ST_OK, "");
    set(f, "host", "", ST_OK, "");
    assert_string_equal(f->t.host, "0.0.0.0");
    set(f, "colour", "blue", ST_OK, "");
    assert_int_equal(f->t.colour, COLOUR_BLUE);
    set(f, "colour", "Blue", ST_FAILED, "colour must be 'red', 'green' or 'blue'");
}

/* ---- from a tree */

#define AT(l, c) {.file = "f.conf", .line = (l), .column = (c)}

static struct node number_node(const char *key, int64_t number, uint32_t line)
{
    return (struct node){.kind = NODE_INT, .key = str_of(key), .number = number, .at = AT(line, 7)};
}

static struct node text_node(const char *key, const char *text, uint32_t line)
{
    return (struct node){
        .kind = NODE_STR, .key = str_of(key), .text = str_of(text), .at = AT(line, 7)};
}

/* A map or an array of these nodes, which are chained. */
static struct node chain(enum node_kind kind, const char *key, struct node *nodes, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        nodes[i].next = &nodes[i + 1];
    }
    return (struct node){.kind = kind,
                         .key = str_of(key),
                         .at = AT(1, 0),
                         .first = n ? nodes : NULL,
                         .last = n ? &nodes[n - 1] : NULL};
}

/* Reads a map of these nodes; expects these messages. */
static void read_nodes(struct fixture *f, struct node *nodes, size_t n, const char *messages)
{
    struct node map = chain(NODE_MAP, "", nodes, n);
    struct diag d = {0};
    struct option_reader r = {.d = &d};
    enum status st = option_read(f->tables, &map, &r);

    buf_add_char(&d.text, '\0');
    assert_string_equal(d.text.p, messages);
    assert_int_equal(st, d.n_errors ? ST_FAILED : ST_OK);
    diag_deinit(&d);
}

static void test_read(void **state)
{
    struct fixture *f = *state;
    struct node login[] = {number_node("timeout", 3, 2), text_node("PASS", "p", 3),
                           number_node("depth", 8, 4)};
    struct node nodes[] = {chain(NODE_MAP, "Auth", login, ARRAY_SIZE(login)),
                           number_node("N", 7, 5), text_node("name", "n", 6),
                           number_node("doubled", 4, 7), number_node("later", 9, 8)};

    read_nodes(f, nodes, ARRAY_SIZE(nodes), "");
    assert_int_equal(f->t.timeout_ns, 3 * CLOCK_SEC_NS);
    assert_string_equal(f->t.secret, "p");
    assert_int_equal(f->o.depth, 8); // of another module
    assert_int_equal(f->t.count, 7);
    assert_string_equal(f->t.name, "n");
    assert_int_equal(f->t.doubled, 8);
}

/* All that is wrong is reported, warnings first. */
static void test_read_errors(void **state)
{
    struct fixture *f = *state;
    struct node power[] = {text_node("power", "much", 9), text_node("p\n", "", 10)};
    struct node nodes[] = {
        text_node("count", "7", 2),  number_node("Count", 256, 3),
        number_node("later", 0, 4),  number_node("login", 1, 5),
        number_node("engine", 1, 6), number_node("counts", 1, 7),
        number_node("pause", 90, 8), chain(NODE_MAP, "engine", power, ARRAY_SIZE(power)),
    };

    read_nodes(f, nodes, ARRAY_SIZE(nodes),
               "f.conf:8:7: invalid use of field \"pause\": pause should be converted to a "
               "duration\n"
               "f.conf:2:7: interface conversion: interface {} is string, not int64\n"
               "f.conf:3:7: Count value is too big\n"
               "f.conf:4:7: later value can not be negative\n"
               "f.conf:5:7: interface conversion: interface {} is int64, not "
               "map[string]interface {}\n"
               "f.conf:6:7: interface conversion: interface {} is int64, not bool\n"
               "f.conf:7:7: unknown field \"counts\"\n"
               "f.conf:7:7: did you mean \"count\"?\n"
               "f.conf:9:7: interface conversion: interface {} is string, not int64\n"
               "f.conf:10:7: no \"p\\n\" in an engine\n");
    assert_int_equal(f->t.count, 0);
    assert_int_equal(f->t.pause_ns, 90 * CLOCK_SEC_NS);
}

/* A key that was used as a variable need not be an option. */
static void test_read_variables(void **state)
{
    struct node nodes[] = {number_node("mine", 7, 2), number_node("other", 7, 2)};

    nodes[0].is_variable = true;
    read_nodes(*state, nodes, ARRAY_SIZE(nodes), "f.conf:2:7: unknown field \"other\"\n");
}

static void test_read_lists(void **state)
{
    struct fixture *f = *state;
    struct node items[] = {text_node("", "a", 2), text_node("", "b c", 3)};
    struct node bad_items[] = {text_node("", "a", 2), number_node("", 4, 3)};
    struct node list = chain(NODE_ARRAY, "tags", items, 2);
    struct node bad_list = chain(NODE_ARRAY, "tags", bad_items, 2);
    struct node one = text_node("tags", "one", 2);

    read_nodes(f, &list, 1, "");
    assert_int_equal(f->t.tags.n, 2);
    assert_string_equal(f->t.tags.at[1], "b c");
    read_nodes(f, &bad_list, 1,
               "f.conf:3:7: interface conversion: interface {} is int64, not string\n");
    assert_int_equal(f->t.tags.n, 2);
    read_nodes(f, &one, 1, "");
    assert_int_equal(f->t.tags.n, 1);
}

static void note_set(void *arg, const struct option_slot *slot, const struct diag_place *at)
{
    buf_printf(arg, "%s %u\n", slot->row->name, at->line);
}

/* What was set is noted, what was refused is not. */
static void test_on_set(void **state)
{
    struct fixture *f = *state;
    struct node nodes[] = {number_node("N", 7, 2), number_node("count", 256, 3),
                           text_node("name", "n", 4)};
    struct node map = chain(NODE_MAP, "", nodes, ARRAY_SIZE(nodes));
    struct buf noted = {0};
    struct diag d = {0};
    struct option_reader r = {.d = &d, .on_set = note_set, .arg = &noted};

    assert_int_equal(option_read(f->tables, &map, &r), ST_FAILED);
    assert_true(str_equal(buf_str(&noted), STR("count 2\nname 4\n")));
    buf_deinit(&noted);
    diag_deinit(&d);
}

/* A struct that is not the whole configuration. */
static void test_read_block(void **state)
{
    static const struct option block = OPTION_BLOCK("entry", block_rows, .doc = "An entry.");
    struct things t = {0};
    struct node nodes[] = {text_node("password", "p", 2)};
    struct node map = chain(NODE_MAP, "", nodes, 1);
    struct node number = number_node("", 1, 3);
    struct diag d = {0};
    struct option_reader r = {.d = &d};

    (void)state;
    option_init_block(&block, &t);
    assert_int_equal(t.timeout_ns, 2 * CLOCK_SEC_NS);
    assert_int_equal(option_read_block(&block, &t, &map, &r), ST_OK);
    assert_string_equal(t.secret, "p");
    assert_int_equal(option_read_block(&block, &t, &number, &r), ST_FAILED);
    option_deinit_block(&block, &t);
    assert_null(t.secret);
    diag_deinit(&d);
}

static void test_equal(void **state)
{
    struct fixture *f = *state;
    struct things other = {0};
    const struct option_table tables[] = {{.rows = rows, .base = &other}, OPTION_TABLES_END};
    static const char *const changes[][2] = {{"is_on", "true"}, {"count", "3"},     {"pause", "3s"},
                                             {"name", "n"},     {"colour", "blue"}, {"tags", "a"},
                                             {"doubled", "2"},  {"login.pass", "x"}};

    option_set_defaults(tables);
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        struct option_slot slot;

        assert_true(option_find(f->tables, str_of(changes[i][0]), &slot));
        assert_true(option_equal(slot.row, &f->t, &other));
        set(f, changes[i][0], changes[i][1], ST_OK, "");
        assert_false(option_equal(slot.row, &f->t, &other));
        assert_true(option_equal(slot.row, &f->t, &f->t));
    }
    option_deinit(tables);
}

static void add_name(void *arg, const struct option_slot *slot, struct str name)
{
    (void)slot;
    buf_printf(arg, "%.*s ", STR_ARG(name));
}

static void test_for_each(void **state)
{
    struct fixture *f = *state;
    struct buf names = {0};

    option_for_each(f->tables, add_name, &names);
    assert_true(str_equal(buf_str(&names),
                          STR("is_on count size pause strict name host colour tags doubled later "
                              "engine engine.power both login.timeout login.password "
                              "login.depth ")));
    buf_deinit(&names);
}

static void expect_print(struct fixture *f, const char *name, const char *want)
{
    struct option_slot slot;
    struct buf b = {0};

    assert_true(option_find(f->tables, str_of(name), &slot));
    option_print(&slot, &b);
    buf_add_char(&b, '\0');
    assert_string_equal(b.p, want);
    buf_deinit(&b);
}

static void test_print(void **state)
{
    struct fixture *f = *state;

    set(f, "name", "n", ST_OK, "");
    expect_print(f, "login.password", "\"\"");
    set(f, "login.password", "tell nobody", ST_OK, "");
    expect_print(f, "login.password", "***");
    expect_print(f, "is_on", "false");
    expect_print(f, "size", "1048576");
    expect_print(f, "pause", "1m0s");
    expect_print(f, "name", "n");
    expect_print(f, "colour", "green");
    expect_print(f, "both", "");
    expect_print(f, "host", "\"0.0.0.0\"");
    expect_print(f, "tags", "[]");
    set(f, "tags", "[a, \"b \\\"c\"]", ST_OK, "");
    expect_print(f, "tags", "[a, \"b \\\"c\"]");
    set(f, "doubled", "2", ST_OK, "");
    expect_print(f, "doubled", "2");
    expect_print(f, "later", "");
}

#define OPTION_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPTION_TEST(test_defaults),    OPTION_TEST(test_find),
        OPTION_TEST(test_set_numbers), OPTION_TEST(test_set_durations),
        OPTION_TEST(test_set_text),    OPTION_TEST(test_read),
        OPTION_TEST(test_read_errors), OPTION_TEST(test_read_variables),
        OPTION_TEST(test_read_lists),  OPTION_TEST(test_on_set),
        OPTION_TEST(test_read_block),  OPTION_TEST(test_equal),
        OPTION_TEST(test_for_each),    OPTION_TEST(test_print),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
