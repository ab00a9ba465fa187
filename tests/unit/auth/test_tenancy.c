/* SPDX-License-Identifier: Apache-2.0 */
/* From a configuration's text to the snapshot of its accounts. What is refused, and in which words,
 * is tested from outside: tests/e2e/accounts/test_config_errors.py. */
#include "auth/tenancy_make.h"
#include "broker/tenancy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "broker/mapping.h"
#include "conf/parse.h"

/* @return  an owned tenancy; NULL: there are errors, appended to why if that is not NULL */
static struct tenancy *make(const char *text, struct buf *why)
{
    struct auth_options o = {0};
    struct option_table tables[] = {auth_options_table(&o), OPTION_TABLES_END};
    struct conf_tree tree = {0};
    struct diag d = {0};
    struct option_reader r = {.d = &d};
    struct tenancy *t = NULL;

    option_set_defaults(tables);
    enum status st = conf_parse_text("t.conf", str_of(text), &tree, &d);
    if (st == ST_OK) {
        st = option_read(tables, tree.root, &r);
    }
    if (st == ST_OK) {
        st = tenancy_make(&o, STR(""), NULL, &d, &t);
    }
    assert_int_equal(st == ST_OK, t != NULL);
    assert_int_equal(st == ST_OK, d.n_errors == 0);
    if (why) {
        buf_add(why, buf_str(&d.text));
    }
    option_deinit(tables);
    conf_tree_deinit(&tree);
    diag_deinit(&d);
    return t;
}

static struct tenancy *must_make(const char *text)
{
    struct buf why = {0};
    struct tenancy *t = make(text, &why);

    if (!t) {
        fail_msg("%.*s", STR_ARG(buf_str(&why)));
    }
    buf_deinit(&why);
    return t;
}

static const struct tenant *must_find(const struct tenancy *t, const char *name)
{
    const struct tenant *found = tenancy_find(t, str_of(name));

    assert_non_null(found);
    return found;
}

static void assert_str(struct str got, const char *want)
{
    if (!str_equal(got, str_of(want))) {
        fail_msg("\"%.*s\" instead of \"%s\"", STR_ARG(got), want);
    }
}

static const struct import *import_of(const struct tenancy *t, const char *account,
                                      const char *local)
{
    const struct tenant *a = must_find(t, account);

    for (size_t i = 0; i < a->n_imports; i++) {
        if (str_equal(a->imports[i].local, str_of(local))) {
            return &a->imports[i];
        }
    }
    return NULL;
}

static void assert_to_remote(const struct import *i, const char *local, const char *remote)
{
    struct buf out = {0};

    transform_apply(i->transforms.to_remote, str_of(local), 0, &out);
    assert_str(buf_str(&out), remote);
    buf_deinit(&out);
}

/* ---- who is there */

static void test_accounts(void **state)
{
    struct tenancy *t = must_make("accounts: [B, A, \"a.b\"]");
    static const char *const names[] = {"$G", "$SYS", "A", "B", "a.b"};

    (void)state;
    assert_int_equal(t->n, ARRAY_SIZE(names));
    for (size_t i = 0; i < t->n; i++) {
        assert_str(t->at[i].name, names[i]);
        assert_ptr_equal(tenancy_find(t, str_of(names[i])), &t->at[i]);
    }
    assert_null(tenancy_find(t, STR("C")));
    tenancy_unref(tenancy_ref(t));
    tenancy_unref(t);
    tenancy_unref(NULL);
}

static void test_system_account(void **state)
{
    static const struct {
        const char *text;
        size_t n_tenants;
        const char *name; // NULL: none
    } rows[] = {
        {"", 2, "$SYS"},
        {"no_system_account: true", 1, NULL},
        {"no_system_account: true, accounts: [A]", 2, NULL},
        {"system_account: S, accounts: [S]", 2, "S"},
        {"accounts: [\"$SYS\"]", 2, "$SYS"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct tenancy *t = must_make(rows[i].text);
        const struct import *info = import_of(t, "$G", "$SYS.REQ.USER.INFO");

        assert_int_equal(t->n, rows[i].n_tenants);
        assert_int_equal(info != NULL, rows[i].name != NULL);
        if (info) {
            assert_ptr_equal(info->from, must_find(t, rows[i].name));
        }
        tenancy_unref(t);
    }
}

static void test_user_info(void **state)
{
    struct tenancy *t = must_make("accounts: [A, \"a.b\", \"a b\", \"*\"]");
    const struct import *i = import_of(t, "A", "$SYS.REQ.USER.INFO");

    (void)state;
    assert_non_null(i);
    assert_str(i->subject, "$SYS.REQ.USER.A.INFO");
    assert_str(i->export->subject, "$SYS.REQ.USER.*.INFO");
    assert_true(i->is_service);
    assert_true(i->share);
    assert_to_remote(i, "$SYS.REQ.USER.INFO", "$SYS.REQ.USER.A.INFO");
    assert_non_null(import_of(t, "$SYS", "$SYS.REQ.USER.INFO"));
    assert_int_equal(must_find(t, "a.b")->n_imports, 0);
    assert_int_equal(must_find(t, "a b")->n_imports, 0);
    assert_int_equal(must_find(t, "*")->n_imports, 0);
    tenancy_unref(t);
}

static void test_own_user_info(void **state)
{
    struct tenancy *t = must_make(
        "accounts { \"$SYS\": { exports: [{service: \"$SYS.REQ.>\", threshold: \"9s\"}] }, "
        "A: { imports: [{service: {account: \"$SYS\", subject: \"$SYS.REQ.USER.INFO\"}}] } }");
    const struct import *of_b = import_of(t, "$G", "$SYS.REQ.USER.INFO");

    (void)state;
    assert_int_equal(must_find(t, "$SYS")->n_exports, 1);
    assert_int_equal(of_b->export->threshold_ns, 9 * CLOCK_SEC_NS);
    assert_int_equal(must_find(t, "A")->n_imports, 4); // its own in the place of one
    assert_str(must_find(t, "A")->imports[0].subject, "$SYS.REQ.USER.INFO");
    tenancy_unref(t);
}

/* ---- exports */

static void test_export_terms(void **state)
{
    struct tenancy *t =
        must_make("accounts { A: { exports: [ {service: a}, {service: b, response: Chunk, "
                  "threshold: \"1500ms\", allow_trace: true}, {service: c, latency: m}, "
                  "{service: d, latency: {sampling: headers, subject: m.d}}, "
                  "{service: e, latency: {sampling: \"7%\", subject: m}}, {stream: a}, "
                  "{service: \"f..g\"}, {} ] } }");
    const struct export *e = must_find(t, "A")->exports;

    (void)state;
    assert_int_equal(must_find(t, "A")->n_exports, 6);
    assert_int_equal(e[0].response, RESPONSE_SINGLETON);
    assert_int_equal(e[0].threshold_ns, 120 * CLOCK_SEC_NS);
    assert_true(e[0].is_public && e[0].is_service && !e[0].allow_trace);
    assert_str(e[0].latency.subject, "");
    assert_int_equal(e[1].response, RESPONSE_CHUNKED);
    assert_int_equal(e[1].threshold_ns, 1500 * CLOCK_SEC_NS / 1000);
    assert_true(e[1].allow_trace);
    assert_str(e[2].latency.subject, "m");
    assert_int_equal(e[2].latency.sampling, 100);
    assert_int_equal(e[3].latency.sampling, 0);
    assert_int_equal(e[4].latency.sampling, 7);
    assert_false(e[5].is_service);
    tenancy_unref(t);
}

static void test_export_twice(void **state)
{
    struct tenancy *t =
        must_make("accounts { A: { exports: [ {service: a, response: stream, threshold: \"1s\"}, "
                  "{service: a, accounts: [B]}, {service: a, accounts: [C, A]}, {stream: a} ] }, "
                  "B: {}, C: { imports: [{service: {account: A, subject: a}}] } }");
    const struct export *e = must_find(t, "A")->exports;

    (void)state;
    assert_int_equal(must_find(t, "A")->n_exports, 2);
    assert_false(e[0].is_public);
    assert_int_equal(e[0].n_accounts, 3);
    assert_str(e[0].accounts[0], "B");
    assert_str(e[0].accounts[2], "A");
    assert_int_equal(e[0].response, RESPONSE_STREAM);
    assert_int_equal(e[0].threshold_ns, 120 * CLOCK_SEC_NS);
    assert_true(e[1].is_public);
    assert_ptr_equal(import_of(t, "C", "a")->export, &e[0]);
    tenancy_unref(t);
}

/* ---- imports */

static void test_imports(void **state)
{
    struct tenancy *t = must_make(
        "accounts { S: { exports: [{stream: \"ev.>\"}, {stream: ev.x}, {service: \"req.*.*\"}] }, "
        "A: { imports: [ {stream: {account: S, subject: ev.x}, allow_trace: true}, "
        "{stream: {account: S, subject: \"ev.*.y\"}, prefix: in}, "
        "{stream: {account: S, subject: \"ev.>\"}, prefix: \"all.\"}, "
        "{service: {account: S, subject: \"req.*.*\"}, to: \"w.$2.$1\", share: true} ] } }");
    const struct tenant *s = must_find(t, "S");
    const struct import *i = must_find(t, "A")->imports;

    (void)state;
    assert_str(i[0].local, "ev.x");
    assert_ptr_equal(i[0].export, &s->exports[1]);
    assert_true(i[0].allow_trace && !i[0].share && !i[0].is_service);
    assert_null(i[0].transforms.to_local);
    assert_str(i[1].local, "in.ev.*.y");
    assert_ptr_equal(i[1].export, &s->exports[0]);
    assert_to_remote(&i[1], "in.ev.q.y", "ev.q.y");
    assert_str(i[2].local, "all.ev.>");
    assert_to_remote(&i[2], "all.ev.a.b", "ev.a.b");
    assert_str(i[3].local, "w.*.*");
    assert_str(i[3].subject, "req.*.*");
    assert_str(i[3].to, "w.$2.$1");
    assert_true(i[3].is_service && i[3].share);
    assert_to_remote(&i[3], "w.b.a", "req.a.b");
    for (size_t k = 0; k < 4; k++) {
        assert_ptr_equal(i[k].from, s);
    }
    tenancy_unref(t);
}

/* Whether the import of a in account A is the same in both configurations. */
static bool are_equal(const char *export_a, const char *import_a, const char *export_b,
                      const char *import_b)
{
    struct buf text = {0};
    struct tenancy *t[2];

    for (int i = 0; i < 2; i++) {
        text.n = 0;
        buf_printf(&text, "accounts { S: { exports: [{%s}] }, A: { imports: [{%s}] } }",
                   i ? export_b : export_a, i ? import_b : import_a);
        buf_add_char(&text, '\0');
        t[i] = must_make(text.p);
    }
    bool is_equal =
        import_equal(&must_find(t[0], "A")->imports[0], &must_find(t[1], "A")->imports[0]);
    tenancy_unref(t[0]);
    tenancy_unref(t[1]);
    buf_deinit(&text);
    return is_equal;
}

static void test_equal(void **state)
{
    const char *const e = "service: \"a.*.*\"";
    const char *const i = "service: {account: S, subject: \"a.*.*\"}, to: \"b.$1.$2\"";

    (void)state;
    assert_true(are_equal(e, i, e, i));
    assert_true(are_equal(e, i, "service: \"a.>\"", i)); // the terms are the same
    assert_false(are_equal(
        e, i, e, "service: {account: S, subject: \"a.*.*\"}, to: \"b.$2.$1\"")); // local is, too
    assert_false(are_equal(e, i, e,
                           "service: {account: S, subject: \"a.*.*\"}, to: \"b.$1.$2\", "
                           "share: true"));
    assert_false(are_equal(e, i, "service: \"a.*.*\", response: stream", i));
    assert_false(are_equal(e, i, "service: \"a.*.*\", threshold: \"1s\"", i));
    assert_false(are_equal(e, i, "service: \"a.*.*\", latency: m", i));
    assert_false(are_equal(e, i, "service: \"a.*.*\", allow_trace: true", i));
}

/* ---- mappings, traces */

static void test_mappings(void **state)
{
    struct tenancy *t = must_make("mappings { a: b }, maps { a: c, d: e }, accounts { A: { maps: "
                                  "{x: y} }, B: { msg_trace: {dest: t, sampling: 5} }, C: { "
                                  "trace_dest: t.c } }");
    const struct mappings *m = must_find(t, "$G")->mappings;
    struct buf out = {0};

    (void)state;
    assert_int_equal(mappings_count(m), 2);
    assert_str(mapping_apply(mappings_find(m, STR("a")), STR("a"), 0, &out), "c");
    assert_int_equal(mappings_count(must_find(t, "A")->mappings), 1);
    assert_null(must_find(t, "B")->mappings);
    assert_str(must_find(t, "A")->trace_dest, "");
    assert_str(must_find(t, "B")->trace_dest, "t");
    assert_int_equal(must_find(t, "B")->trace_sampling, 5);
    assert_str(must_find(t, "C")->trace_dest, "t.c");
    assert_int_equal(must_find(t, "C")->trace_sampling, 100);
    buf_deinit(&out);
    tenancy_unref(t);
}

/* ---- cycles */

#define N_ACCOUNTS 3
#define N_CASES 3000

static const char *draw(const char *const *words, size_t n)
{
    return words[(size_t)rand() % n]; // NOLINT(concurrency-mt-unsafe): one thread
}

/* One account that exports all, and imports something of another one. */
static void write_account(struct buf *out, int number, const char *kind)
{
    static const char *const subjects[] = {"a", "b", "a.*", "*.b", "a.b", ">"};
    static const char *const locals[] = {"", "", "a", "b", "a.b"};
    static const char *const sources[] = {"A0", "A1", "A2"};
    const char *subject = draw(subjects, ARRAY_SIZE(subjects));
    const char *to = strpbrk(subject, "*>") ? "" : draw(locals, ARRAY_SIZE(locals));

    buf_printf(out,
               "A%d: { exports: [{%s: \">\"}], imports: [{%s: {account: %s, subject: \"%s\"}, "
               "to: \"%s\"}] }",
               number, kind, kind, draw(sources, ARRAY_SIZE(sources)), subject, to);
}

static bool is_good(const struct buf *accounts, const int *order)
{
    struct buf text = {0};

    buf_add(&text, STR("accounts {\n"));
    for (int i = 0; i < N_ACCOUNTS; i++) {
        buf_printf(&text, "%.*s\n", STR_ARG(buf_str(&accounts[order[i]])));
    }
    buf_add(&text, STR("}"));
    buf_add_char(&text, '\0');
    struct tenancy *t = make(text.p, NULL);
    buf_deinit(&text);
    tenancy_unref(t);
    return t;
}

static void test_order_of_accounts(void **state)
{
    static const int orders[][N_ACCOUNTS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                             {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    int n_good = 0;

    (void)state;
    srand(1); // NOLINT(cert-msc32-c): the same cases every time
    for (int i = 0; i < N_CASES; i++) {
        struct buf accounts[N_ACCOUNTS] = {0};

        for (int k = 0; k < N_ACCOUNTS; k++) {
            write_account(&accounts[k], k, i % 2 ? "stream" : "service");
        }
        bool is_first_good = is_good(accounts, orders[0]);

        n_good += is_first_good;
        for (size_t k = 1; k < ARRAY_SIZE(orders); k++) {
            assert_int_equal(is_good(accounts, orders[k]), is_first_good);
        }
        for (int k = 0; k < N_ACCOUNTS; k++) {
            buf_deinit(&accounts[k]);
        }
    }
    assert_in_range(n_good, N_CASES / 10, N_CASES * 9 / 10);
}

/* A chain of imports: each account takes from the next one under a name of its own. */
static bool is_chain_good(int n, bool is_closed)
{
    struct buf text = {0};

    buf_add(&text, STR("accounts {\n"));
    for (int i = 0; i < n; i++) {
        buf_printf(&text, "A%d: { exports: [{service: s%d}]", i, i);
        if (i + 1 < n || is_closed) {
            int next = (i + 1) % n;

            buf_printf(&text, ", imports: [{service: {account: A%d, subject: s%d}, to: s%d}]", next,
                       next, i);
        }
        buf_add(&text, STR(" }\n"));
    }
    buf_add(&text, STR("}"));
    buf_add_char(&text, '\0');
    struct tenancy *t = make(text.p, NULL);
    buf_deinit(&text);
    tenancy_unref(t);
    return t;
}

static void test_chains(void **state)
{
    (void)state;
    for (int n = 2; n < 20; n++) {
        assert_true(is_chain_good(n, false));
        assert_false(is_chain_good(n, true));
    }
    assert_true(is_chain_good(1000, false));
    assert_false(is_chain_good(1000, true));
    assert_false(is_chain_good(3000, false)); // too deep
}

static int set_up(void **state)
{
    (void)state;
    hash_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accounts),     cmocka_unit_test(test_system_account),
        cmocka_unit_test(test_user_info),    cmocka_unit_test(test_own_user_info),
        cmocka_unit_test(test_export_terms), cmocka_unit_test(test_export_twice),
        cmocka_unit_test(test_imports),      cmocka_unit_test(test_equal),
        cmocka_unit_test(test_mappings),     cmocka_unit_test(test_order_of_accounts),
        cmocka_unit_test(test_chains),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
