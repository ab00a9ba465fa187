/* SPDX-License-Identifier: Apache-2.0 */
/* Which requests are measured, and the metrics: those of a nats-server 2.15.1 (spec 05 §17), but
 * for ids and times of day. */
#include "broker/latency.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/clock.h"
#include "broker/party.h"
#include "broker/tenancy.h"

#define BEGINNING                                                                                  \
    "{\"type\":\"io.nats.server.metric.v1.service_latency\",\"id\":\"#\",\"timestamp\":\"#\","
#define REQUESTOR "\"requestor\":{\"acc\":\"APP\",\"rtt\":367566},"
#define TRACED "NATS/1.0\r\ntraceparent: 00-a-b-01\r\n\r\n"

static const struct party requestor = {.account = STR_INIT("APP"), .rtt_ns = 367566};
static const struct party responder = {.account = STR_INIT("SVC"),
                                       .name = STR_INIT("responder"),
                                       .rtt_ns = 1000,
                                       .kind = STR_INIT("Client")};

static bool is_sampled(unsigned sampling, uint32_t random, struct str hdr)
{
    struct latency_rule rule = {.subject = STR_INIT("lat"), .sampling = (uint8_t)sampling};
    struct latency_probe *p = latency_sample(&rule, hdr, random);
    bool is_it = p != NULL;

    latency_free(p);
    return is_it;
}

static void test_sampling(void **state)
{
    (void)state;
    for (unsigned sampling = 0; sampling <= 100; sampling++) {
        unsigned n = 0;
        unsigned want = sampling == 0 ? 0 : sampling >= 99 ? 100 : sampling + 1;

        for (uint32_t random = 1000; random < 1100; random++) {
            n += is_sampled(sampling, random, (struct str){0});
            assert_true(is_sampled(sampling, random, STR(TRACED)));
        }
        assert_int_equal(n, want);
    }
}

static void test_not_measured(void **state)
{
    struct latency_rule rule = {.sampling = 100};

    (void)state;
    assert_null(latency_sample(&rule, STR(TRACED), 0));
    assert_false(is_sampled(0, 0, STR("NATS/1.0\r\ntraceparent: 00-a-b-00\r\n\r\n")));
    latency_free(NULL);
}

static struct latency_probe *probe_new(unsigned sampling, struct str hdr, int64_t start_ns)
{
    struct latency_rule rule = {.subject = STR_INIT("lat"), .sampling = (uint8_t)sampling};
    struct latency_probe *p = latency_sample(&rule, hdr, 0);

    assert_non_null(p);
    latency_start(p, &requestor, start_ns);
    return p;
}

/* Puts "#" for the value of a key at the top, a string or a number. */
static void mask(struct buf *json, const char *key, bool is_string)
{
    struct buf out = {0};
    char quoted[32];

    snprintf(quoted, sizeof(quoted), "\"%s\":%s", key, is_string ? "\"" : "");
    buf_add_char(json, '\0');
    char *at = strstr(json->p, quoted);

    assert_non_null(at);
    at += strlen(quoted);
    size_t n = strcspn(at, is_string ? "\"" : ",}");
    assert_true(n > 0);
    buf_add(&out, (struct str){.p = json->p, .n = (size_t)(at - json->p)});
    buf_add_char(&out, '#');
    buf_add(&out, str_of(at + n));
    buf_deinit(json);
    *json = out;
}

static void assert_metric(struct buf *json, struct str want)
{
    mask(json, "id", true);
    mask(json, "timestamp", true);
    if (!str_equal(buf_str(json), want)) {
        fail_msg("got %.*s, want %.*s", STR_ARG(buf_str(json)), STR_ARG(want));
    }
    buf_deinit(json);
}

static void test_failures(void **state)
{
    static const struct {
        enum latency_status status;
        const char *text;
    } rows[] = {
        {LATENCY_BAD_REQUEST, "400,\"description\":\"Bad Request\""},
        {LATENCY_REQUEST_TIMEOUT, "408,\"description\":\"Request Timeout\""},
        {LATENCY_UNAVAILABLE, "503,\"description\":\"Service Unavailable\""},
        {LATENCY_SERVICE_TIMEOUT, "504,\"description\":\"Service Timeout\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct latency_probe *p = probe_new(100, (struct str){0}, 5000);
        struct buf json = {0};
        struct buf want = {0};

        latency_report(p, rows[i].status, NULL, 9000, &json);
        mask(&json, "start", true);
        buf_printf(&want,
                   BEGINNING "\"status\":%s," REQUESTOR
                             "\"start\":\"#\",\"service\":0,\"system\":0,\"total\":0}",
                   rows[i].text);
        assert_metric(&json, buf_str(&want));
        buf_deinit(&want);
        latency_free(p);
    }
}

#define RESPONDER                                                                                  \
    "\"responder\":{\"acc\":\"SVC\",\"name\":\"responder\",\"rtt\":1000,\"kind\":\"Client\"},"

static int64_t number(const struct buf *json, const char *key)
{
    char quoted[32];

    snprintf(quoted, sizeof(quoted), "\"%s\":", key);
    const char *at = memmem(json->p, json->n, quoted, strlen(quoted));
    assert_non_null(at);
    return strtoll(at + strlen(quoted), NULL, 10);
}

static void test_response(void **state)
{
    int64_t start_ns = clock_now_ns();
    struct latency_probe *p = probe_new(100, STR(TRACED), start_ns);
    struct buf json = {0};

    (void)state;
    latency_report(p, LATENCY_OK, &responder, start_ns + 5000, &json);
    int64_t system_ns = number(&json, "system");
    assert_true(system_ns >= 0 && system_ns < 10 * CLOCK_SEC_NS);
    assert_int_equal(number(&json, "service"), 4000);
    assert_int_equal(number(&json, "total"), 367566 + 5000 + system_ns);
    mask(&json, "start", true);
    mask(&json, "system", false);
    mask(&json, "total", false);
    assert_metric(&json,
                  STR(BEGINNING "\"status\":200," REQUESTOR RESPONDER
                                "\"start\":\"#\",\"service\":4000,\"system\":#,\"total\":#}"));
    latency_free(p);
}

/* Somebody who answers sooner than it takes to get there and back. */
static void test_no_time_is_negative(void **state)
{
    int64_t start_ns = clock_now_ns();
    struct latency_probe *p = probe_new(0, STR(TRACED), start_ns);
    struct buf json = {0};

    (void)state;
    latency_report(p, LATENCY_OK, &responder, start_ns + 999, &json);
    assert_int_equal(number(&json, "service"), 0);
    json.n = 0;
    latency_report(p, LATENCY_OK, &responder, start_ns - 1, &json);
    assert_int_equal(number(&json, "total") - number(&json, "system"), 367566);
    buf_deinit(&json);
    latency_free(p);
}

/* Headers are told only of what was sampled by them. */
static void test_headers(void **state)
{
    struct latency_probe *p = probe_new(0, STR(TRACED), 0);
    struct buf json = {0};

    (void)state;
    latency_report(p, LATENCY_UNAVAILABLE, NULL, 0, &json);
    mask(&json, "start", true);
    assert_metric(&json,
                  STR(BEGINNING
                      "\"status\":503,\"description\":\"Service Unavailable\"," REQUESTOR
                      "\"header\":{\"Traceparent\":[\"00-a-b-01\"]},\"start\":\"#\",\"service\":0,"
                      "\"system\":0,\"total\":0}"));
    latency_free(p);
}

static struct str id_of(const struct buf *json)
{
    static const char before[] = "\"id\":\"";
    const char *at = memmem(json->p, json->n, before, strlen(before));

    assert_non_null(at);
    at += strlen(before);
    return (struct str){.p = at, .n = strcspn(at, "\"")};
}

static void test_ids(void **state)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    struct latency_probe *p = probe_new(100, (struct str){0}, 0);
    struct buf one = {0};
    struct buf other = {0};

    (void)state;
    latency_report(p, LATENCY_UNAVAILABLE, NULL, 0, &one);
    latency_report(p, LATENCY_UNAVAILABLE, NULL, 0, &other);
    assert_int_equal(id_of(&one).n, 22);
    assert_true(strspn(id_of(&one).p, digits) == 22);
    assert_false(str_equal(id_of(&one), id_of(&other)));
    buf_deinit(&one);
    buf_deinit(&other);
    latency_free(p);
}

/* When the request was sent, by the clock on the wall. */
static void test_start(void **state)
{
    char before[CLOCK_RFC3339_MAX];
    char after[CLOCK_RFC3339_MAX];
    struct buf json = {0};

    (void)state;
    clock_format_rfc3339(clock_wall_ns() - requestor.rtt_ns, before);
    struct latency_probe *p = probe_new(100, (struct str){0}, 0);
    clock_format_rfc3339(clock_wall_ns() - requestor.rtt_ns, after);
    latency_report(p, LATENCY_UNAVAILABLE, NULL, 0, &json);
    buf_add_char(&json, '\0');
    const char *start = strstr(json.p, "\"start\":\"") + strlen("\"start\":\"");
    size_t n = strlen("2026-11-21T19:26:32.123");
    assert_true(memcmp(before, start, n) <= 0 && memcmp(start, after, n) <= 0);
    buf_deinit(&json);
    latency_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sampling),
        cmocka_unit_test(test_not_measured),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_response),
        cmocka_unit_test(test_no_time_is_negative),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
