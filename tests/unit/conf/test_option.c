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
};

struct other_things {
    int64_t depth;
};

static const char *const colours[] = {"red", "green", "blue", NULL};

static const char *refuse_x(struct str text)
{
    return text.n && text.p[0] == 'x' ? "no x, please" : NULL;
}

static enum status set_both(void *base, struct str key, struct str text,
                            const struct diag_place *at, struct diag *d)
{
    struct things *t = base;

    if (!text.n) {
        diag_error(d, at, "%.*s: nothing", STR_ARG(key));
        return ST_FAILED;
    }
    t->count = (int64_t)text.n;
    t->size = (int64_t)text.n;
    return ST_OK;
}

static const struct option block_rows[] = {
    OPTION_DURATION("timeout", struct things, timeout_ns, .plain = OPTION_PLAIN_SECONDS,
                    .def = "2s", .zero_is_default = true, .doc = "A timeout."),
    OPTION_SECRET("password", struct things, secret, .aliases = "pass", .cli = "--pass",
                  .doc = "A secret."),
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
    assert_int_equal(option_set(&slot, str_of(name), str_of(text), NULL, &d), st);
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
        "error parsing pause: time: missing unit in duration \"1.5\"");
    set(f, "pause", "-1s", ST_FAILED, "invalid pause, needs to be positive");
    set(f, "pause", "2d", ST_FAILED,
        "error parsing pause: time: unknown unit \"d\" in duration \"2d\"");
    set(f, "strict", "10s", ST_FAILED, "invalid strict of 10s, minimum is 30 seconds");
    set(f, "strict", "40", ST_FAILED,
        "error parsing strict: time: missing unit in duration \"40\"");
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

static void test_place(void **state)
{
    struct fixture *f = *state;
    const struct diag_place at = {.file = "f.conf", .line = 3, .column = 7};
    struct option_slot slot;
    struct diag d = {0};

    assert_true(option_find(f->tables, STR("count"), &slot));
    assert_int_equal(option_set(&slot, STR("count"), STR("0"), &at, &d), ST_FAILED);
    assert_int_equal(d.n_errors, 1);
    assert_true(str_equal(buf_str(&d.text), STR("f.conf:3:7: count value can not be negative\n")));
    diag_deinit(&d);
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
    expect_print(f, "login.password", "");
    set(f, "login.password", "tell nobody", ST_OK, "");
    expect_print(f, "login.password", "***");
    expect_print(f, "is_on", "false");
    expect_print(f, "size", "1048576");
    expect_print(f, "pause", "1m0s");
    expect_print(f, "name", "n");
    expect_print(f, "colour", "green");
    expect_print(f, "both", "");
}

#define OPTION_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPTION_TEST(test_defaults),      OPTION_TEST(test_find),     OPTION_TEST(test_set_numbers),
        OPTION_TEST(test_set_durations), OPTION_TEST(test_set_text), OPTION_TEST(test_place),
        OPTION_TEST(test_print),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
