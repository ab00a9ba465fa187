/* SPDX-License-Identifier: Apache-2.0 */
/* broker/perms.h: the tables of spec 04 §7 and what nats-server 2.15.1 was seen to do (A-16…A-23);
 * rows with a reason differ from it on purpose. */
#include "broker/perms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"

/* Adds entries, with "; " between them. */
static void add_all(struct perms *p, enum perms_list list, const char *entries)
{
    const char *end;

    for (const char *at = entries; *at; at = *end ? end + 2 : end) {
        struct buf why = {0};

        end = strchr(at, ';');
        end = end ? end : at + strlen(at);
        assert_int_equal(perms_add(p, list, (struct str){.p = at, .n = (size_t)(end - at)}, &why),
                         ST_OK);
        assert_int_equal(why.n, 0);
    }
}

static struct perms *make(enum perms_list allow_list, const char *allow, const char *deny)
{
    struct perms *p = perms_new();

    add_all(p, allow_list, allow);
    add_all(p, allow_list + 1, deny);
    return p;
}

/* ---- building (§7.1) */

static void test_bad_entries(void **state)
{
    static const struct {
        enum perms_list list;
        const char *entry, *why; // NULL: it is good
    } rows[] = {
        {PERMS_PUB_ALLOW, "foo..bar", "subject \"foo..bar\" is not a valid subject"},
        {PERMS_PUB_DENY, "a q", "subject \"a q\" is not a valid subject"},
        {PERMS_PUB_ALLOW, " foo", "subject \" foo\" is not a valid subject"},
        {PERMS_PUB_ALLOW, "foo ", "subject \"foo \" is not a valid subject"},
        {PERMS_PUB_ALLOW, "", "subject \"\" is not a valid subject"},
        {PERMS_PUB_ALLOW, "foo\nbar", "subject \"foo\\nbar\" is not a valid subject"},
        {PERMS_PUB_ALLOW, "foo\fbar", "subject \"foo\\fbar\" is not a valid subject"},
        {PERMS_PUB_ALLOW, "f\"oo..", "subject \"f\\\"oo..\" is not a valid subject"},
        {PERMS_PUB_ALLOW, "a.>.b", "subject \"a.>.b\" is not a valid subject"},
        {PERMS_PUB_ALLOW, "foo\vbar", NULL},
        {PERMS_PUB_ALLOW, "foo\001bar", NULL},
        {PERMS_PUB_ALLOW, "a.>b", NULL},
        {PERMS_SUB_ALLOW, "foo..bar", "subject \"foo..bar\" is not a valid subject"},
        {PERMS_SUB_ALLOW, "foo q.", "queue \"q.\" is not a valid queue"},
        {PERMS_SUB_DENY, "foo .q", "queue \".q\" is not a valid queue"},
        {PERMS_SUB_DENY, "foo q..x", "queue \"q..x\" is not a valid queue"},
        {PERMS_SUB_DENY, "foo >.q", "queue \">.q\" is not a valid queue"},
        {PERMS_SUB_DENY, "foo..b q.", "subject \"foo..b\" is not a valid subject"},
        {PERMS_SUB_DENY, "foo q r", "subject \"foo q r\" is not a valid subject"},
        {PERMS_SUB_DENY, " foo", "subject \" foo\" is not a valid subject"},
        {PERMS_SUB_DENY, " ", "subject \" \" is not a valid subject"},
        {PERMS_SUB_DENY, "", "subject \"\" is not a valid subject"},
        {PERMS_SUB_DENY, " foo  q ", NULL},
        {PERMS_SUB_DENY, "foo\tq", NULL},
        {PERMS_SUB_DENY, "foo\nq", NULL},
        {PERMS_SUB_DENY, "foo\vq", NULL},
        {PERMS_SUB_DENY, "a >", NULL},
        {PERMS_SUB_DENY, "a z*", NULL},
    };
    struct perms *p = perms_new();

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf why = {0};
        enum status st = perms_add(p, rows[i].list, str_of(rows[i].entry), &why);

        assert_int_equal(st, rows[i].why ? ST_BAD_VALUE : ST_OK);
        buf_add_char(&why, '\0');
        assert_string_equal(why.p, rows[i].why ? rows[i].why : "");
        buf_deinit(&why);
    }
    assert_false(perms_may_subscribe(p, STR("foo"), STR("q"))); // "foo\tq" is two words
    assert_true(perms_may_subscribe(p, STR("foo"), STR("")));
    perms_unref(p);
}

static void test_no_entries(void **state)
{
    struct perms *p = perms_new();

    (void)state;
    assert_true(perms_may_publish(p, STR("a")));
    assert_true(perms_may_subscribe(p, STR(">"), STR("")));
    assert_true(perms_may_subscribe(p, STR(">"), STR("q")));
    assert_false(perms_needs_filter(p, STR(">"), STR("q")));
    assert_true(perms_may_deliver(p, STR("a"), STR("")));
    assert_false(perms_allows_responses(p));
    assert_ptr_equal(perms_ref(p), p);
    perms_unref(p);
    perms_unref(p);
    perms_unref(NULL);
}

static void test_entries_and_equal(void **state)
{
    struct perms *a = make(PERMS_SUB_ALLOW, "x; y q", "z");
    struct perms *b = make(PERMS_SUB_ALLOW, "x; y q", "z");
    size_t n;
    const struct str *entries = perms_entries(a, PERMS_SUB_ALLOW, &n);

    (void)state;
    assert_int_equal(n, 2);
    assert_true(str_equal(entries[0], STR("x")) && str_equal(entries[1], STR("y q")));
    perms_entries(a, PERMS_PUB_DENY, &n);
    assert_int_equal(n, 0);
    assert_true(perms_equal(a, a) && perms_equal(a, b));
    perms_allow_responses(a, 0, 0);
    assert_false(perms_equal(a, b));
    perms_allow_responses(b, 2, 0);
    assert_false(perms_equal(a, b));
    perms_allow_responses(b, 1, 2 * 60 * CLOCK_SEC_NS); // the defaults
    assert_true(perms_equal(a, b));
    add_all(a, PERMS_PUB_DENY, "u");
    assert_false(perms_equal(a, b));
    add_all(b, PERMS_PUB_DENY, "v");
    assert_false(perms_equal(a, b));
    perms_unref(a);
    perms_unref(b);
}

/* ---- publishing (§7.2) */

static void test_publish(void **state)
{
    static const struct {
        const char *allow, *deny, *subject;
        bool may;
    } rows[] = {{"p.*", "", "p.a", true},          {"p.*", "", "p.*", true},
                {"p.*", "", "p.>", true},          {"p.*", "", "p", false},
                {"p.*", "", "p.a.b", false},       {"p.*", "", "p.", false},
                {"p.*", "", "p..", false},         {"a.>", "", "a..b", false},
                {"a.>", "", "a.", false},          {"a.>", "", "a.b..c", false},
                {"a.>", "", "a", false},           {"a.>", "", "a.b", true},
                {"a.>", "", "a.>", true},          {"", "a.>", "a..b", true},
                {"", "a.>", "a.b", false},         {"", "a.>", "a", true},
                {"b.>", "b.c", "b.a", true},       {"b.>", "b.c", "b.c", false},
                {"b.>", "b.c", "c", false},        {"b.>", "b.c", "b.c.d", true},
                {"a; b", "", "b", true},           {"a; b", "", "c", false},
                {"_INBOX.>", "", "_INBOX.a", true}};

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct perms *p = make(PERMS_PUB_ALLOW, rows[i].allow, rows[i].deny);

        assert_int_equal(perms_may_publish(p, str_of(rows[i].subject)), rows[i].may);
        assert_true(perms_may_subscribe(p, str_of(rows[i].subject), STR("")));
        perms_unref(p);
    }
}

static void test_responses(void **state)
{
    struct perms *p = perms_new();

    (void)state;
    add_all(p, PERMS_PUB_DENY, "zz");
    assert_true(perms_may_publish(p, STR("other")));
    perms_allow_responses(p, 0, 0);
    assert_true(perms_allows_responses(p));
    assert_int_equal(perms_responses(p).max, 1);
    assert_int_equal(perms_responses(p).expires_ns, 2 * 60 * CLOCK_SEC_NS);
    assert_false(perms_may_publish(p, STR("other")));
    assert_false(perms_may_publish(p, STR("zz")));
    add_all(p, PERMS_PUB_ALLOW, "ok");
    assert_true(perms_may_publish(p, STR("ok")));
    assert_false(perms_may_publish(p, STR("other")));
    perms_allow_responses(p, -1, -5);
    assert_int_equal(perms_responses(p).max, -1);
    assert_int_equal(perms_responses(p).expires_ns, -5);
    perms_unref(p);
}

static void test_cache(void **state)
{
    struct perms *p = make(PERMS_PUB_ALLOW, "a.*; b.>", "a.no");
    struct perms_cache c = {0};
    char text[100];

    (void)state;
    assert_false(perms_cached_may_publish(&c, p, STR("")));
    for (unsigned round = 0; round < 3; round++) {
        assert_false(perms_cached_may_publish(&c, p, STR("a.no")));
        assert_false(perms_cached_may_publish(&c, p, STR("c")));
        for (unsigned i = 0; i < 1000; i++) {
            int n = snprintf(text, sizeof(text), "b.%0*u", (int)(i % 90), i);
            struct str s = {.p = text, .n = (size_t)n};

            assert_true(perms_cached_may_publish(&c, p, s));
            assert_true(perms_cached_may_publish(&c, p, s));
            text[0] = 'x';
            assert_false(perms_cached_may_publish(&c, p, s));
        }
    }
    perms_unref(p);
}

/* ---- subscribing and delivery (§7.3, §7.4) */

struct sub_row {
    const char *allow, *deny, *subject, *queue;
    bool may;
};

static void check_subs(const struct sub_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct sub_row *r = &rows[i];
        struct perms *p = make(PERMS_SUB_ALLOW, r->allow, r->deny);

        if (perms_may_subscribe(p, str_of(r->subject), str_of(r->queue)) != r->may) {
            fail_msg("allow %s, deny %s: SUB %s %s", r->allow, r->deny, r->subject, r->queue);
        }
        assert_true(perms_may_publish(p, str_of(r->subject)));
        perms_unref(p);
    }
}

static void test_subscribe_table(void **state) // the table of §7.3
{
    static const struct sub_row rows[] = {
        {"s.>", "", "s.*", "", true},
        {"s.>", "", "s.>", "", true},
        {"s.>", "", "s.a", "anyqueue", true},
        {"s.>", "", ">", "", false},
        {"q.x grp", "", "q.x", "", false},
        {"q.x grp", "", "q.x", "other", false},
        {"q.x grp", "", "q.x", "grp", true},
        {"q.x grp", "", "q.*", "grp", false},
        {"m; m g1", "", "m", "", true},
        {"m; m g1", "", "m", "g1", true},
        {"m; m g1", "", "m", "g2", false},
        {"q.y v*", "", "q.y", "v1", false},
        {"q.y v*", "", "q.y", "v*", true},
        {"", "s.w.*", "s.w.*", "", false},
        {"", "s.w.*", "s.w.a", "", false},
        {"", "s.w.*", "s.w.a", "q", false},
        {"", "s.w.*", "s.w.>", "", false},
        {"", "s.w.*", "s.*.a", "", true},
        {"", "x.y", "x.*", "", true},
        {"", "x.y", ">", "", true},
        {"", "k qd", "k", "", true},
        {"", "k qd", "k", "qz", true},
        {"", "k qd", "k", "qd", false},
        {"", "foo.*", "foo.>", "", false},
        {"", "foo.*", "foo.a.b", "", true},
        {"", "d; d q1", "d", "q2", false},
        {"a.>; a.b q1", "", "a.b", "q2", false},
        {"a.>; a.b q1", "", "a.c", "q2", true},
        {"a.>; a.b q1", "", "a.*", "q2", true},
        {"a.b; a.* q1", "", "a.*", "q1", true},
        {"a.b; a.* q1", "", "a.b", "q2", false},
        {"a.b; a.* q1", "", "a.c", "", false},
        {"a.>", "a.b q1; a.c", "a.b", "q1", false},
        {"a.>", "a.b q1; a.c", "a.b", "q2", true},
        {"a.>", "a.b q1; a.c", "a.c", "q1", false},
        {"_INBOX.>", "", "_INBOX.abc.*", "", true},
        {"_INBOX.>", "", "_INBOX", "", false},
        {"foo.>", "", "foo..a", "", false},
        {"foo.>", "", "foo.", "", false},
        {"foo.>", "", "foo.>.a", "", true}, // and is then refused as an invalid subject
        {"", "foo.>", "foo.>.a", "", false},
        {"", "foo.>", "foo..a", "", true},
    };

    (void)state;
    check_subs(rows, ARRAY_SIZE(rows));
}

static void test_queue_patterns(void **state)
{
    static const struct sub_row rows[] = {
        {"q v.*", "", "q", "v.1", true},      {"q v.*", "", "q", "v.*", true},
        {"q v.*", "", "q", "v.>", false},     {"q v.*", "", "q", "v", false},
        {"q v.>", "", "q", "v.1.2", true},    {"q v.>", "", "q", "v.>", true},
        {"q v.>", "", "q", "v.*", true},      {"q v.>", "", "q", "v", false},
        {"q >", "", "q", "any", true},        {"q >", "", "q", "a..b", true},
        {"q >", "", "q", "a.", true},         {"q *", "", "q", "one", true},
        {"q *", "", "q", ">", false},         {"q *", "", "q", "a.b", false},
        {"q *", "", "q", "*", true},          {"q *", "", "q", "*.a", false},
        {"q *.z", "", "q", "a.z", true},      {"q *.z", "", "q", "a.y", false},
        {"", "d.* v.*", "d.a", "v.1", false}, {"", "d.* v.*", "d.a", "v.*", false},
        {"", "d.* v.*", "d.a", "v.>", true},  {"", "d.* v.*", "d.a", "v", true},
        {"", "d.* v.*", "d.*", "v.1", false}, {"", "d.* v.*", "d.>", "v.1", false},
        {"", "d.* v.*", "d.>", "x", true},
    };

    (void)state;
    check_subs(rows, ARRAY_SIZE(rows));
}

/* nats-server allows these, and delivers more than was allowed. */
static void test_coverage(void **state)
{
    static const struct sub_row rows[] = {
        {"foo.*", "", "foo.>", "", false},
        {"foo.*", "", "foo.>", "q", false},
        {"*", "", ">", "", false},
        {"a.b; a.* q1", "", "a.>", "q1", false},
        {"a.>; a.* q1", "", "a.>", "q2", false}, // there is an entry for queues, which decides
        {"foo.*; foo.*.>", "", "foo.>", "", true},
        {"foo.*.a", "", "foo.*.a", "", true},
        {"foo.b.a; foo.c.a", "", "foo.*.a", "", false},
    };

    (void)state;
    check_subs(rows, ARRAY_SIZE(rows));
}

static void test_filter(void **state)
{
    static const struct {
        const char *deny, *subject, *queue;
        bool needs_filter;
        const char *message;
        bool may;
    } rows[] = {
        {"x.y", "x.*", "", true, "x.y", false},
        {"x.y", "x.*", "", true, "x.z", true},
        {"x.y", ">", "", true, "x.y.z", true},
        {"x.y", "x.*", "q", true, "x.y", false},
        {"x.y", "z.*", "", false, "z.y", true},
        {"x.y", "x.z", "", false, "x.z", true},
        {"x.y q1; z.y; x.w v.*", "x.*", "q1", true, "x.y", false},
        {"x.y q1; z.y; x.w v.*", "x.*", "q1", true, "x.w", true},
        {"x.y q1; z.y; x.w v.*", "x.*", "q2", false, "x.y", true},
        {"x.y q1; z.y; x.w v.*", "x.*", "", false, "x.y", true},
        {"x.y q1; z.y; x.w v.*", ">", "", true, "z.y", false},
        {"x.y q1; z.y; x.w v.*", ">", "q1", true, "z.y", false},
        {"x.y q1; z.y; x.w v.*", ">", "q1", true, "a.b", true},
        {"x.y q1; z.y; x.w v.*", ">", "v.3", true, "x.w", false},
        {"x.y q1; z.y; x.w v.*", "x.>", "v.*", true, "x.w", false},
        {"x.y q1; z.y; x.w v.*", "x.>", "v.>", false, "x.w", true},
        {"d; d q1", "*", "q2", true, "d", false},
        {"a.*.c", "a.b.>", "", true, "a.b.c", false},
        {"a.*.c", "a.b.>", "", true, "a.b.c.d", true},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct perms *p = make(PERMS_SUB_ALLOW, "", rows[i].deny);
        struct str queue = str_of(rows[i].queue);

        assert_true(perms_may_subscribe(p, str_of(rows[i].subject), queue));
        assert_int_equal(perms_needs_filter(p, str_of(rows[i].subject), queue),
                         rows[i].needs_filter);
        assert_int_equal(perms_may_deliver(p, str_of(rows[i].message), queue), rows[i].may);
        perms_unref(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_entries),       cmocka_unit_test(test_no_entries),
        cmocka_unit_test(test_entries_and_equal), cmocka_unit_test(test_publish),
        cmocka_unit_test(test_responses),         cmocka_unit_test(test_cache),
        cmocka_unit_test(test_subscribe_table),   cmocka_unit_test(test_queue_patterns),
        cmocka_unit_test(test_coverage),          cmocka_unit_test(test_filter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
