/* SPDX-License-Identifier: Apache-2.0 */
/* The document of a trace, and which messages are traced. */
#include "broker/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/account.h"
#include "broker/links.h"
#include "broker/msg_origin.h"
#include "broker/party.h"
#include "broker/sub.h"
#include "broker/trace_wish.h"
#include "conn/handle.h"
#include "proto/msg.h"

#define HDR(lines) STR("NATS/1.0\r\n" lines "\r\n")

static void tell(const struct speaker *s, struct party *out)
{
    (void)s;
    *out = (struct party){.id = 7, .name = STR("n<")};
}

static const struct speaker_ops ops = {.kind = "Client", .tell = tell};
static const struct speaker publisher = {.ops = &ops};
static char name_a[] = "A", name_b[] = "B";
static struct account a = {.name = name_a};
static struct account b = {.name = name_b};
static const struct msg_origin origin = {.speaker = &publisher, .account = &a};

static struct trace *begin(struct str hdr)
{
    struct msg m = {.subject = STR("in.x"), .hdr = hdr};

    return trace_new(&origin, &m, 42, STR("dest"));
}

/* Replaces what follows "ts": by T. */
static void hide_times(struct buf *json)
{
    const char *mark = "\"ts\":\"";
    struct buf out = {0};
    struct str rest = buf_str(json);

    for (;;) {
        const char *at = memmem(rest.p, rest.n, mark, strlen(mark));

        if (!at) {
            break;
        }
        const char *end = memchr(at + strlen(mark), '"', rest.n - (size_t)(at - rest.p));
        buf_add(&out, (struct str){.p = rest.p, .n = (size_t)(at - rest.p)});
        buf_add(&out, STR("T"));
        rest = (struct str){.p = end + 1, .n = rest.n - (size_t)(end + 1 - rest.p)};
    }
    buf_add(&out, rest);
    buf_deinit(json);
    *json = out;
}

static void expect_document(const struct trace *t, const char *expected)
{
    struct buf json = {0};

    trace_write(t, &json);
    hide_times(&json);
    buf_add_char(&json, '\0');
    assert_string_equal(json.p, expected);
    buf_deinit(&json);
}

static void test_ingress(void **state)
{
    struct trace *t = begin(HDR("Z: 1\r\na: 2\r\nZ: 3\r\nempty:\r\n"));

    (void)state;
    assert_false(t->is_only);
    expect_document(t,
                    "{\"request\":{\"header\":{\"Z\":[\"1\",\"3\"],\"a\":[\"2\"]},\"msgsize\":42},"
                    "\"events\":[{\"type\":\"in\",T,\"kind\":0,\"cid\":7,\"name\":\"n\\u003c\","
                    "\"acc\":\"A\",\"subj\":\"in.x\"}]}");
    trace_free(t);
}

static void test_failure(void **state)
{
    struct trace *t = begin(HDR(""));

    (void)state;
    trace_fail(t, STR("no"));
    trace_mapping(t, STR("to"));
    expect_document(t, "{\"request\":{\"header\":{},\"msgsize\":42},"
                       "\"events\":[{\"type\":\"in\",T,\"kind\":0,\"cid\":7,\"name\":\"n\\u003c\","
                       "\"acc\":\"A\",\"subj\":\"in.x\",\"error\":\"no\"},"
                       "{\"type\":\"sm\",T,\"to\":\"to\"}]}");
    trace_free(t);
}

static void test_way(void **state)
{
    struct trace *t = begin(HDR(""));
    struct sub *s = sub_new(HANDLE_NONE, NULL, STR("sub.*"), STR("q"), STR("1"));

    (void)state;
    trace_egress(t, s, NULL, NULL);
    trace_service(t, &b, STR("from"), STR("to"));
    t->stage = (struct trace_stage){.account = &b};
    trace_egress(t, s, NULL, "why not");
    trace_stream(t, &a, STR("seen"), false);
    trace_egress(t, s, NULL, NULL);
    expect_document(t, "{\"request\":{\"header\":{},\"msgsize\":42},"
                       "\"events\":[{\"type\":\"in\",T,\"kind\":0,\"cid\":7,\"name\":\"n\\u003c\","
                       "\"acc\":\"A\",\"subj\":\"in.x\"},"
                       "{\"type\":\"eg\",T,\"kind\":0,\"cid\":0,\"sub\":\"sub.*\",\"queue\":\"q\"},"
                       "{\"type\":\"si\",T,\"acc\":\"B\",\"from\":\"from\",\"to\":\"to\"},"
                       "{\"type\":\"eg\",T,\"kind\":0,\"cid\":0,\"acc\":\"B\",\"sub\":\"sub.*\","
                       "\"queue\":\"q\",\"error\":\"why not\"},"
                       "{\"type\":\"se\",T,\"acc\":\"A\",\"to\":\"seen\"}]}");
    sub_unref(s);
    trace_free(t);
}

static void test_only(void **state)
{
    static const struct {
        struct str hdr;
        bool is_only;
    } rows[] = {
        {STR_INIT("NATS/1.0\r\nNats-Trace-Dest: x\r\nNats-Trace-Only: 1\r\n\r\n"), true},
        {STR_INIT("NATS/1.0\r\nNats-Trace-Only:  oN \r\nNats-Trace-Dest: x\r\n\r\n"), true},
        {STR_INIT("NATS/1.0\r\nNats-Trace-Dest: x\r\nNats-Trace-Only: TRUE\r\n\r\n"), true},
        {STR_INIT("NATS/1.0\r\nNats-Trace-Dest: x\r\nNats-Trace-Only: 0\r\n\r\n"), false},
        {STR_INIT("NATS/1.0\r\nNats-Trace-Dest: x\r\nnats-trace-only: 1\r\n\r\n"), false},
        {STR_INIT("NATS/1.0\r\nNats-Trace-Only: 1\r\ntraceparent: x\r\n\r\n"), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct trace *t = begin(rows[i].hdr);

        assert_int_equal(t->is_only, rows[i].is_only);
        trace_free(t);
    }
}

/* A message to very many receivers is traced so far. */
static void test_many(void **state)
{
    struct trace *t = begin(HDR(""));
    struct sub *s = sub_new(HANDLE_NONE, NULL, STR("s"), STR(""), STR("1"));
    struct buf json = {0};

    (void)state;
    for (unsigned i = 0; i < 2 * TRACE_MAX_EVENTS; i++) {
        trace_egress(t, s, NULL, NULL);
        trace_mapping(t, STR("m"));
        trace_service(t, &b, STR("f"), STR("t"));
        trace_stream(t, &b, STR("t"), true);
    }
    assert_int_equal(t->n_events, TRACE_MAX_EVENTS);
    trace_write(t, &json);
    assert_true(json.n < (size_t)TRACE_MAX_EVENTS * 200);
    buf_deinit(&json);
    sub_unref(s);
    trace_free(t);
}

/* ---- wishes */

static enum trace_wish wish(struct str hdr, uint32_t random, const char *expected_dest)
{
    struct str dest;
    enum trace_wish w = trace_wish(hdr, &a, random, &dest);

    if (w == TRACE_WISH_YES) {
        assert_true(str_equal(dest, str_of(expected_dest)));
    }
    return w;
}

static void test_wish_of_message(void **state)
{
    (void)state;
    assert_int_equal(wish(HDR("X: y\r\nNats-Trace-Dest: d\r\n"), 0, "d"), TRACE_WISH_YES);
    assert_int_equal(wish(HDR("Nats-Trace-Dest: t.*\r\n"), 0, "t.*"), TRACE_WISH_YES);
    assert_int_equal(wish(HDR("Nats-Trace-Dest: d\r\nNats-Trace-Origin-Account: A\r\n"), 0, ""),
                     TRACE_WISH_FORBIDDEN);
    assert_int_equal(wish(HDR("Nats-Trace-Dest: trace disabled\r\n"), 0, ""), TRACE_WISH_NONE);
    assert_int_equal(wish(HDR("Nats-Trace-Dest:\r\n"), 0, ""), TRACE_WISH_NONE);
    assert_int_equal(wish(HDR("nats-trace-dest: d\r\n"), 0, ""), TRACE_WISH_NONE);
    assert_int_equal(wish(HDR("Nats-Trace-Origin-Account: A\r\n"), 0, ""), TRACE_WISH_NONE);
    assert_int_equal(wish(HDR("traceparent: 00-a-b-01\r\n"), 0, ""), TRACE_WISH_NONE);
    assert_int_equal(wish(STR("garbage"), 0, ""), TRACE_WISH_NONE);
}

static void test_wish_of_account(void **state)
{
    struct tenant tenant = {.trace_dest = STR("acc.trc"), .trace_sampling = 20};
    struct links links = {.tenant = &tenant};

    (void)state;
    atomic_store(&a.links, &links);
    assert_int_equal(wish(HDR("TraceParent: 00-a-b-01\r\n"), 20, "acc.trc"), TRACE_WISH_YES);
    assert_int_equal(wish(HDR("traceparent: 00-a-b-01\r\n"), 21, ""), TRACE_WISH_NOT_DRAWN);
    assert_int_equal(wish(HDR("traceparent: 00-a-b-00\r\n"), 0, ""), TRACE_WISH_NONE);
    assert_int_equal(wish(HDR("Nats-Trace-Dest: d\r\ntraceparent: 00-a-b-01\r\n"), 99, "d"),
                     TRACE_WISH_YES);
    assert_int_equal(wish(HDR("Nats-Trace-Origin-Account: A\r\ntraceparent: 00-a-b-01\r\n"), 0, ""),
                     TRACE_WISH_FORBIDDEN);
    tenant.trace_sampling = 100;
    assert_int_equal(wish(HDR("traceparent: 00-a-b-01\r\n"), 199, "acc.trc"), TRACE_WISH_YES);
    tenant.trace_dest = (struct str){0};
    assert_int_equal(wish(HDR("traceparent: 00-a-b-01\r\n"), 0, ""), TRACE_WISH_NONE);
    links.tenant = NULL;
    assert_int_equal(wish(HDR("traceparent: 00-a-b-01\r\n"), 0, ""), TRACE_WISH_NONE);
    atomic_store(&a.links, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ingress),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_way),
        cmocka_unit_test(test_only),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_wish_of_message),
        cmocka_unit_test(test_wish_of_account),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
