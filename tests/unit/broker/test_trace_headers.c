/* SPDX-License-Identifier: Apache-2.0 */
/* Which messages a tracing system follows: the verdicts are those of a nats-server 2.15.1 whose
 * service has the sampling "headers" (spec 05 §11). */
#include "broker/trace_headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"

/* Its lines end in LF here; "" stands for: not followed. */
struct row {
    const char *lines;
    const char *json;
};

static void check(const struct row *row)
{
    struct buf hdr = {0};
    struct buf json = {0};

    buf_add(&hdr, STR("NATS/1.0\r\n"));
    for (const char *c = row->lines; *c; c++) {
        if (*c == '\n') {
            buf_add_char(&hdr, '\r');
        }
        buf_add_char(&hdr, *c);
    }
    buf_add(&hdr, STR("\r\n"));
    assert_int_equal(trace_headers_find(buf_str(&hdr), &json), *row->json != '\0');
    if (!str_equal(buf_str(&json), str_of(row->json))) {
        fail_msg("%s: got %.*s, want %s", row->lines, STR_ARG(buf_str(&json)), row->json);
    }
    buf_deinit(&json);
    buf_deinit(&hdr);
}

static void check_all(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        check(&rows[i]);
    }
}

static void test_uber(void **state)
{
    static const struct row rows[] = {
        {"Uber-Trace-Id: a:b:c:1\n", "{\"Uber-Trace-Id\":[\"a:b:c:1\"]}"},
        {"uber-trace-id: :::01\n", "{\"Uber-Trace-Id\":[\":::01\"]}"},
        {"Uber-Trace-Id: a:b:c:F\n", "{\"Uber-Trace-Id\":[\"a:b:c:F\"]}"},
        {"Uber-Trace-Id: a:b:c:81\n", "{\"Uber-Trace-Id\":[\"a:b:c:81\"]}"},
        {"Uber-Trace-Id: a:b:c:ff\n", "{\"Uber-Trace-Id\":[\"a:b:c:ff\"]}"},
        {"Uber-Trace-Id: a:b:c:0\n", ""},
        {"Uber-Trace-Id: a:b:c:2\n", ""},
        {"Uber-Trace-Id: a:b:c:g\n", ""},
        {"Uber-Trace-Id: a:b:c:\n", ""},
        {"Uber-Trace-Id: a:b:c:001\n", ""},
        {"Uber-Trace-Id: a:b:1\n", ""},
        {"Uber-Trace-Id: a:b:c:d:1\n", ""},
        {"Uber-Trace-Id:\n", ""},
        {"Uber-Trace-Id: a:b:c:1\nuberctx-foo: x\nUBERCTX-bar: y\nuberctx-: z\nuberctx: z\n"
         "Other: q\n",
         "{\"Uber-Trace-Id\":[\"a:b:c:1\"],\"Uberctx-\":[\"z\"],\"Uberctx-Bar\":[\"y\"],"
         "\"Uberctx-Foo\":[\"x\"]}"},
        {"Uber-Trace-Id: a:b:c:1\nuberctx-1a-bC_dE.f!G: x\nuberctx-b : x\n",
         "{\"Uber-Trace-Id\":[\"a:b:c:1\"],\"Uberctx-1a-Bc_de.f!g\":[\"x\"]}"},
        {"Uber-Trace-Id: a:b:c:1\nuberctx-_: x\nuberctx-a: y\nUberctx-A: z\n",
         "{\"Uber-Trace-Id\":[\"a:b:c:1\"],\"Uberctx-A\":[\"y\",\"z\"],\"Uberctx-_\":[\"x\"]}"},
    };

    (void)state;
    check_all(rows, ARRAY_SIZE(rows));
}

static void test_b3(void **state)
{
    static const struct row rows[] = {
        {"X-B3-Sampled: 1\n", "{\"X-B3-Sampled\":[\"1\"]}"},
        {"X-B3-Sampled: 0\n", ""},
        {"X-B3-Sampled: d\n", ""},
        {"X-B3-Sampled:\n", ""},
        {"X-B3-Sampled: 0\nX-B3-Sampled: 1\n", ""},
        {"X-B3-TraceId: t\n", "{\"X-B3-Traceid\":[\"t\"]}"},
        {"X-B3-TraceId:\n", "{\"X-B3-Traceid\":[\"\"]}"},
        {"X-B3-TraceId: t\nX-B3-Sampled: 0\n", ""},
        {"X-B3-TraceId: t\nX-B3-Sampled: x\n",
         "{\"X-B3-Sampled\":[\"x\"],\"X-B3-Traceid\":[\"t\"]}"},
        {"X-B3-TraceId: t\nX-B3-Sampled: 1\nX-B3-SpanId: s\nX-B3-ParentSpanId: p\nX-B3-Flags: 1\n",
         "{\"X-B3-Parentspanid\":[\"p\"],\"X-B3-Sampled\":[\"1\"],\"X-B3-Spanid\":[\"s\"],"
         "\"X-B3-Traceid\":[\"t\"]}"},
        {"X-B3-SpanId: s\n", ""},
        {"B3: 1\n", "{\"B3\":[\"1\"]}"},
        {"b3: a-b\n", "{\"B3\":[\"a-b\"]}"},
        {"B3: a-b-d-c\n", "{\"B3\":[\"a-b-d-c\"]}"},
        {"B3:\n", "{\"B3\":[\"\"]}"},
        {"B3: 00\n", "{\"B3\":[\"00\"]}"},
        {"B3: 0-\n", "{\"B3\":[\"0-\"]}"},
        {"B3: 0\n", ""},
        {"B3: a-b-0\n", ""},
        {"B3: a-b-0-c-d-e\n", ""},
        {"B3: --0\n", ""},
        {"B3: a-b-00\n", "{\"B3\":[\"a-b-00\"]}"},
        {"B3: x\nb3: 0\n", "{\"B3\":[\"x\",\"0\"]}"},
    };

    (void)state;
    check_all(rows, ARRAY_SIZE(rows));
}

static void test_traceparent(void **state)
{
    static const struct row rows[] = {
        {"A: b\n", ""},
        {"traceparent: 00-a-b-01\n", "{\"Traceparent\":[\"00-a-b-01\"]}"},
        {"TRACEPARENT:\t---7F \n", "{\"Traceparent\":[\"---7F\"]}"},
        {"traceparent: 00-a-b-00\n", ""},
        {"traceparent: 00-a-b-81\n", ""},
        {"traceparent: 00-a-b-ff\n", ""},
        {"traceparent: 00-a-b-1\n", ""},
        {"traceparent: 00-a-b-001\n", ""},
        {"traceparent: 00-a-b-x1\n", ""},
        {"traceparent: 00-a-b-1x\n", ""},
        {"traceparent: 00-a-b-01-c\n", ""},
        {"traceparent: a-b-01\n", ""},
        {"traceparent:\n", ""},
        {"traceparent : 00-a-b-01\n", ""},
        {"tracestate: a\ntraceparent: 00-a-b-01\nTracestate: b\nTRACESTATE:\n",
         "{\"Traceparent\":[\"00-a-b-01\"],\"Tracestate\":[\"a\",\"b\",\"\"]}"},
        {"traceparent: 00-a-b-01\ntraceparent: 00-a-b-00\n",
         "{\"Traceparent\":[\"00-a-b-01\",\"00-a-b-00\"]}"},
        {"traceparent: 00-a-b-00\ntraceparent: 00-a-b-01\n", ""},
    };

    (void)state;
    check_all(rows, ARRAY_SIZE(rows));
}

static void test_first_decides(void **state)
{
    static const struct row rows[] = {
        {"traceparent: 00-a-b-01\nUber-Trace-Id: a:b:c:0\n", ""},
        {"traceparent: 00-a-b-01\nUber-Trace-Id:\n", ""},
        {"B3: 1\nX-B3-Sampled: 0\n", ""},
        {"traceparent: 00-a-b-01\nX-B3-Sampled: 0\n", ""},
        {"X-B3-Sampled: x\nB3: 1\n", "{\"B3\":[\"1\"]}"},
        {"X-B3-Sampled:\ntraceparent: 00-a-b-01\n", "{\"Traceparent\":[\"00-a-b-01\"]}"},
        {"X-B3-TraceId:\ntraceparent: 00-a-b-01\n", "{\"X-B3-Traceid\":[\"\"]}"},
        {"traceparent: 00-a-b-01\nB3: 0\n", ""},
        {"traceparent: 00-a-b-00\nB3: 1\n", "{\"B3\":[\"1\"]}"},
    };

    (void)state;
    check_all(rows, ARRAY_SIZE(rows));
}

/* A block that is broken anywhere has no headers. */
static void test_broken(void **state)
{
    static const struct row rows[] = {
        {"garbage\ntraceparent: 00-a-b-01\n", ""},
        {"traceparent: 00-a-b-01\ngarbage\n", ""},
        {"\ntraceparent: 00-a-b-01\n", ""},
        {": x\ntraceparent: 00-a-b-01\n", ""},
        {"traceparent: 00-a-b-01\nA(: x\n", ""},
        {"traceparent: 00-a-b-01\ntracestate: \x01\n", ""},
        {"A b: c\ntraceparent: 00-a-b-01\n", "{\"Traceparent\":[\"00-a-b-01\"]}"},
        {"traceparent: 00-a-b-01\ntracestate: \xff<\n",
         "{\"Traceparent\":[\"00-a-b-01\"],\"Tracestate\":[\"\\ufffd\\u003c\"]}"},
    };
    struct buf json = {0};

    (void)state;
    check_all(rows, ARRAY_SIZE(rows));
    assert_false(trace_headers_find((struct str){0}, &json));
    assert_false(trace_headers_find(STR("NATS/1.0\r\nB3: 1\r\n"), &json));
    assert_int_equal(json.n, 0);
}

static void test_many(void **state)
{
    struct buf hdr = {0};
    struct buf json = {0};

    (void)state;
    buf_add(&hdr, STR("NATS/1.0\r\n"));
    for (unsigned i = 0; i < 1000; i++) {
        buf_printf(&hdr, "Uberctx-%u: %u\r\n", i % 10, i);
    }
    buf_add(&hdr, STR("Uber-Trace-Id: a:b:c:1\r\n\r\n"));
    assert_true(trace_headers_find(buf_str(&hdr), &json));
    static const char start[] =
        "{\"Uber-Trace-Id\":[\"a:b:c:1\"],\"Uberctx-0\":[\"0\",\"10\",\"20\",";
    assert_true(str_starts_with(buf_str(&json), str_of(start)));
    buf_deinit(&json);
    buf_deinit(&hdr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uber),        cmocka_unit_test(test_b3),
        cmocka_unit_test(test_traceparent), cmocka_unit_test(test_first_decides),
        cmocka_unit_test(test_broken),      cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
