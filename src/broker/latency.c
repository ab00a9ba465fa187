/* SPDX-License-Identifier: Apache-2.0 */
/* A probe is made when a request is to be measured, and remembers what the metric says of it later:
 * parts of the document, written at once. */
#include "broker/latency.h"

#include <sys/random.h>

#include "base/attr.h"
#include "base/base62.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "broker/party.h"
#include "broker/tenancy.h"
#include "broker/trace_headers.h"

#define METRIC_TYPE "io.nats.server.metric.v1.service_latency"

enum { ID_CHARS = 22 };

struct latency_probe {
    struct buf headers;    // those of a tracing system, as JSON; empty: measured by lot
    struct buf requestor;  // as JSON
    int64_t rtt_ns;        // of the requestor
    int64_t start_ns;      // monotonic
    int64_t start_wall_ns; // since 1970
};

/* N of 100 gives (N + 1) %: so does the Go server. */
static bool is_drawn(unsigned sampling, uint32_t random)
{
    return sampling >= 100 || (sampling && random % 100 <= sampling);
}

struct latency_probe *latency_sample(const struct latency_rule *rule, struct str hdr,
                                     uint32_t random)
{
    struct buf headers = {0};

    if (!rule->subject.n ||
        (!is_drawn(rule->sampling, random) && !trace_headers_find(hdr, &headers))) {
        return NULL;
    }
    struct latency_probe *p = mem_zalloc(sizeof(*p));

    p->headers = headers;
    return p;
}

void latency_start(struct latency_probe *p, const struct party *requestor, int64_t now_ns)
{
    struct json j = json_to(&p->requestor);

    party_write(requestor, &j);
    p->rtt_ns = requestor->rtt_ns;
    p->start_ns = now_ns;
    p->start_wall_ns = clock_wall_ns();
}

struct str latency_headers(const struct latency_probe *p)
{
    return buf_str(&p->headers);
}

void latency_free(struct latency_probe *p)
{
    if (p) {
        buf_deinit(&p->headers);
        buf_deinit(&p->requestor);
        mem_free(p);
    }
}

static void add_id(struct json *j)
{
    uint64_t random[2];
    char id[ID_CHARS];

    ENSURE(getrandom(random, sizeof(random), 0) == (ssize_t)sizeof(random));
    base62_write(id, ID_CHARS / 2, random[0]);
    base62_write(id + ID_CHARS / 2, ID_CHARS / 2, random[1]);
    json_add_str(j, "id", (struct str){.p = id, .n = ID_CHARS});
}

static void add_time(struct json *j, const char *key, int64_t wall_ns)
{
    char text[CLOCK_RFC3339_MAX];
    size_t n = clock_format_rfc3339(wall_ns, text);

    json_add_str(j, key, (struct str){.p = text, .n = n});
}

static struct str describe(enum latency_status status)
{
    switch (status) {
    case LATENCY_BAD_REQUEST:
        return STR("Bad Request");
    case LATENCY_REQUEST_TIMEOUT:
        return STR("Request Timeout");
    case LATENCY_UNAVAILABLE:
        return STR("Service Unavailable");
    case LATENCY_SERVICE_TIMEOUT:
        return STR("Service Timeout");
    case LATENCY_OK:
        break;
    }
    return (struct str){0};
}

static int64_t at_least_0(int64_t ns)
{
    return ns < 0 ? 0 : ns;
}

/* The time between request and response: how much of it the service took, how much we ourselves
 * after the response had come, and what the requestor sees. All 0 without a response. */
static void add_durations(struct json *j, const struct latency_probe *p,
                          const struct party *responder, int64_t now_ns)
{
    int64_t service_ns = 0;
    int64_t system_ns = 0;
    int64_t total_ns = 0;

    if (responder) {
        service_ns = at_least_0(now_ns - p->start_ns - responder->rtt_ns);
        system_ns = responder->rtt_ns ? at_least_0(clock_now_ns() - now_ns) : 0;
        total_ns = p->rtt_ns + at_least_0(now_ns - p->start_ns) + system_ns;
    }
    json_add_int(j, "service", service_ns);
    json_add_int(j, "system", system_ns);
    json_add_int(j, "total", total_ns);
}

void latency_report(const struct latency_probe *p, enum latency_status status,
                    const struct party *responder, int64_t now_ns, struct buf *json)
{
    struct json j = json_to(json);

    json_open_object(&j);
    json_add_str(&j, "type", STR(METRIC_TYPE));
    add_id(&j);
    add_time(&j, "timestamp", clock_wall_ns());
    json_add_int(&j, "status", status);
    json_opt_str(&j, "description", describe(status));
    json_opt_raw(&j, "requestor", buf_str(&p->requestor));
    if (responder) {
        json_key(&j, "responder");
        party_write(responder, &j);
    }
    json_opt_raw(&j, "header", buf_str(&p->headers));
    add_time(&j, "start", p->start_wall_ns - p->rtt_ns);
    add_durations(&j, p, responder, now_ns);
    json_close_object(&j);
}
