/* SPDX-License-Identifier: Apache-2.0 */
/* conn/conn_report.h: a report owns all that it says, and so does its copy. */
#include "conn/conn_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"
#include "conn/conn.h"

#define N_SUBS 3u

/* Everything lies in `scratch`, which is gone when the report is looked at. */
static void report(struct conn *c, unsigned what, struct conn_report *out, struct arena *scratch)
{
    (void)c;
    out->cid = 7;
    out->name = arena_str(scratch, STR("name"));
    out->account = arena_str(scratch, STR("A"));
    out->n_subs = N_SUBS;
    if (what & CONN_REPORT_SUBS) {
        struct conn_report_sub *subs = arena_alloc(scratch, N_SUBS * sizeof(subs[0]));

        for (uint32_t i = 0; i < N_SUBS; i++) {
            subs[i].subject = arena_str(scratch, STR("foo.bar"));
            subs[i].sid = arena_str(scratch, STR("12"));
            subs[i].n_msgs = out->subs_from + i;
        }
        out->subs = subs;
        out->n_listed_subs = N_SUBS;
        out->subs_next = 9;
    }
    if (what & CONN_REPORT_CERTS) {
        struct conn_report_cert *cert = arena_alloc(scratch, sizeof(*cert));

        cert->subject = arena_str(scratch, STR("CN=x"));
        out->certs = cert;
        out->n_certs = 1;
    }
}

static const struct conn_ops ops = {.kind = "Client", .report = report};

static void check_identity(const struct conn_report *r)
{
    assert_int_equal(r->handle, 5);
    assert_int_equal(r->cid, 7);
    assert_string_equal(r->kind, "Client");
    assert_true(str_equal(r->name, STR("name")));
    assert_true(str_equal(r->account, STR("A")));
    assert_int_equal(r->lang.n, 0);
    assert_int_equal(r->n_subs, N_SUBS);
}

static void test_without_lists(void **state)
{
    struct conn c = {.handle = 5, .ops = &ops};
    struct conn_report *r = conn_report_new(&c, 0);

    (void)state;
    check_identity(r);
    assert_int_equal(r->n_listed_subs, 0);
    mem_free(r);
}

static void check_lists(const struct conn_report *r)
{
    assert_int_equal(r->n_listed_subs, N_SUBS);
    assert_int_equal(r->subs_next, 9);
    for (uint32_t i = 0; i < N_SUBS; i++) {
        assert_true(str_equal(r->subs[i].subject, STR("foo.bar")));
        assert_true(str_equal(r->subs[i].sid, STR("12")));
        assert_int_equal(r->subs[i].queue.n, 0);
        assert_int_equal(r->subs[i].n_msgs, 40 + i);
    }
    assert_int_equal(r->n_certs, 1);
    assert_true(str_equal(r->certs[0].subject, STR("CN=x")));
}

static void test_lists(void **state)
{
    struct conn c = {.handle = 5, .ops = &ops};
    struct conn_report *r = conn_report_new_from(&c, CONN_REPORT_SUBS | CONN_REPORT_CERTS, 40);
    struct arena arena = {0};

    (void)state;
    check_identity(r);
    check_lists(r);
    const struct conn_report *copy = conn_report_copy(r, &arena);
    assert_int_equal(copy->n_bytes, r->n_bytes);
    mem_free(r);
    check_identity(copy);
    check_lists(copy);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_lists),
        cmocka_unit_test(test_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
