/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics, for Prometheus. Metrics called "nats_" are those of prometheus-nats-exporter with the
 * prefix "nats", all of them gauges as there; those called "gnatwren_" are our own. What is the sum
 * of all connections takes a survey of the workers; the rest is at hand. */
#include <stddef.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "broker/account.h"
#include "broker/accounts.h"
#include "broker/index.h"
#include "conn/conn.h"
#include "conn/conn_report.h"
#include "conn/shard.h"
#include "conn/survey.h"
#include "conn/tally.h"
#include "monitor/doc.h"
#include "monitor/facts.h"
#include "monitor/metrics_text.h"
#include "monitor/monitor.h"
#include "monitor/query.h"
#include "monitor/sublist_stats.h"
#include "monitor/varz.h"

/** Sums of connections. */
struct conn_sums {
    uint64_t n, pending_bytes, n_subs, in_bytes, out_bytes, in_msgs, out_msgs;
};

/** A request under way. */
struct metrics {
    struct query *query;
    struct survey survey;
};

/* ---- the server */

static void write_varz(const struct metrics_text *t, const struct monitor *m)
{
    struct buf text = {0};
    struct json j = json_to(&text);

    varz_write(&j, m);
    metrics_flatten(t, "nats_varz", buf_str(&text));
    buf_deinit(&text);
    metrics_info(t, "nats_varz_server_id", m->facts->server_id);
    metrics_info(t, "nats_varz_server_name", m->facts->server_name);
    metrics_info(t, "nats_varz_version", m->facts->version);
    metrics_gauge(t, "nats_varz_start", (uint64_t)(m->start_ns / CLOCK_MS_NS));
    metrics_gauge(t, "nats_varz_config_load_time",
                  (uint64_t)(m->facts->config_load_ns / CLOCK_MS_NS));
}

static void write_health(const struct metrics_text *t, const struct monitor *m)
{
    const struct metrics_label status[] = {{"value", m->is_lame_duck ? STR("error") : STR("ok")},
                                           {0}};

    metrics_gauge(t, "nats_healthz_status", m->is_lame_duck);
    metrics_begin(t, "nats_healthz_status_value", "gauge", NULL);
    metrics_add(t, "nats_healthz_status_value", status, !m->is_lame_duck);
}

/* ---- accounts */

static void write_subs(const struct metrics_text *t, struct account *const *accounts, size_t n)
{
    struct sublist_stats s = {0};
    struct buf text = {0};
    struct json j = json_to(&text);

    for (size_t i = 0; i < n; i++) {
        sublist_stats_add(&s, accounts[i]);
    }
    json_open_object(&j);
    sublist_stats_write(&j, &s);
    json_close_object(&j);
    metrics_flatten(t, "nats_subsz", buf_str(&text));
    buf_deinit(&text);
}

/** What is told of an account. */
struct account_sums {
    uint64_t n_clients, n_subs, n_leafs, n_slow;
    struct traffic traffic;
};

static struct account_sums sums_of_account(const struct account *a)
{
    return (struct account_sums){.n_clients = (uint64_t)atomic_load(&a->n_clients),
                                 .n_subs = index_count(a->index),
                                 .n_slow = atomic_load(&a->n_slow),
                                 .traffic = account_traffic(a)};
}

static void write_accounts(const struct metrics_text *t, struct account *const *accounts, size_t n)
{
    static const struct {
        const char *name;
        size_t offset; // in struct account_sums
    } families[] = {
        {"nats_accstatz_current_connections", offsetof(struct account_sums, n_clients)},
        {"nats_accstatz_total_connections", offsetof(struct account_sums, n_clients)},
        {"nats_accstatz_subscriptions", offsetof(struct account_sums, n_subs)},
        {"nats_accstatz_leaf_nodes", offsetof(struct account_sums, n_leafs)},
        {"nats_accstatz_sent_messages", offsetof(struct account_sums, traffic.out_msgs)},
        {"nats_accstatz_sent_bytes", offsetof(struct account_sums, traffic.out_bytes)},
        {"nats_accstatz_received_messages", offsetof(struct account_sums, traffic.in_msgs)},
        {"nats_accstatz_received_bytes", offsetof(struct account_sums, traffic.in_bytes)},
        {"nats_accstatz_slow_consumers", offsetof(struct account_sums, n_slow)},
    };
    struct account_sums *sums = mem_alloc(n * sizeof(sums[0]));

    for (size_t i = 0; i < n; i++) {
        sums[i] = sums_of_account(accounts[i]);
    }
    for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
        metrics_begin(t, families[f].name, "gauge", NULL);
        for (size_t i = 0; i < n; i++) {
            struct str name = str_of(accounts[i]->name);
            const struct metrics_label labels[] = {
                {"account", name}, {"account_id", name}, {"account_name", name}, {0}};
            const void *value = (const char *)&sums[i] + families[f].offset;

            metrics_add(t, families[f].name, labels, *(const uint64_t *)value);
        }
    }
    mem_free(sums);
}

/* ---- workers */

/** A histogram that every shard has. */
struct shard_histogram {
    const char *name, *help;
    size_t offset; // in struct shard
    double unit;
    bool is_by_worker; // each has its own samples
};

static void add_shard(const struct shard_histogram *h, const struct shard *sh,
                      struct histogram_sum *sum)
{
    histogram_sum((const struct histogram *)(const void *)((const char *)sh + h->offset), sum);
}

static void write_histogram(const struct metrics_text *t, const struct monitor *m,
                            const struct shard_histogram *h)
{
    struct histogram_sum sum = {0};

    metrics_begin(t, h->name, "histogram", h->help);
    for (unsigned i = 1; i <= m->n_workers; i++) {
        add_shard(h, m->shards[i], &sum);
        if (h->is_by_worker) {
            char number[12];

            snprintf(number, sizeof(number), "%u", i);
            metrics_histogram(t, h->name, &(struct metrics_label){"worker", str_of(number)}, &sum,
                              h->unit);
            sum = (struct histogram_sum){0};
        }
    }
    if (!h->is_by_worker) {
        metrics_histogram(t, h->name, NULL, &sum, h->unit);
    }
}

static void write_workers(const struct metrics_text *t, const struct monitor *m)
{
    static const struct shard_histogram histograms[] = {
        {"gnatwren_write_bytes", "Bytes that a connection took at once.",
         offsetof(struct shard, write_bytes), 1, false},
        {"gnatwren_write_messages", "Messages that a connection was sent at once.",
         offsetof(struct shard, write_msgs), 1, false},
        {"gnatwren_turn_seconds",
         "Time from the first bytes that a worker reads in a turn until all is sent, of one turn "
         "in 16.",
         offsetof(struct shard, turn_us), 1e-6, true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(histograms); i++) {
        write_histogram(t, m, &histograms[i]);
    }
}

/* ---- connections */

static struct conn_sums *sums_of(const struct survey_part *p)
{
    return (struct conn_sums *)(void *)p->found.p;
}

static void begin_sums(struct survey_part *p, struct shard *sh)
{
    (void)sh;
    *(struct conn_sums *)(void *)buf_reserve(&p->found, sizeof(struct conn_sums)) =
        (struct conn_sums){0};
    p->found.n = sizeof(struct conn_sums);
}

static void add_sums(struct conn_sums *to, const struct conn_sums *more)
{
    to->n += more->n;
    to->pending_bytes += more->pending_bytes;
    to->n_subs += more->n_subs;
    to->in_bytes += more->in_bytes;
    to->out_bytes += more->out_bytes;
    to->in_msgs += more->in_msgs;
    to->out_msgs += more->out_msgs;
}

static void add_conn(struct survey_part *p, struct conn *c)
{
    struct arena scratch = {0};
    struct conn_report r = {0};

    if (!c->ops->report) {
        return;
    }
    conn_report_fill(c, CONN_REPORT_BRIEF, &r, &scratch);
    const struct conn_sums one = {.n = 1,
                                  .pending_bytes = r.pending_bytes,
                                  .n_subs = r.n_subs,
                                  .in_bytes = r.in_bytes,
                                  .out_bytes = r.out_bytes,
                                  .in_msgs = r.in_msgs,
                                  .out_msgs = r.out_msgs};
    add_sums(sums_of(p), &one);
    arena_deinit(&scratch);
}

static void write_conns(const struct metrics_text *t, const struct survey *survey)
{
    struct conn_sums sum = {0};

    for (unsigned i = 0; i < survey->n_parts; i++) {
        add_sums(&sum, sums_of(&survey->parts[i]));
    }
    metrics_gauge(t, "nats_connz_num_connections", sum.n);
    metrics_gauge(t, "nats_connz_total", sum.n);
    metrics_gauge(t, "nats_connz_pending_bytes", sum.pending_bytes);
    metrics_gauge(t, "nats_connz_subscriptions", sum.n_subs);
    metrics_gauge(t, "nats_connz_in_bytes", sum.in_bytes);
    metrics_gauge(t, "nats_connz_out_bytes", sum.out_bytes);
    metrics_gauge(t, "nats_connz_in_msgs", sum.in_msgs);
    metrics_gauge(t, "nats_connz_out_msgs", sum.out_msgs);
}

/* ---- all together */

static void on_surveyed(struct survey *s)
{
    struct metrics *x = CONTAINER_OF(s, struct metrics, survey);
    struct query *q = x->query;
    const struct monitor *m = q->monitor;
    struct metrics_text t = {.out = &q->out, .server_id = m->facts->server_id};
    size_t n;
    struct account **accounts = accounts_list(m->accounts, &n);

    write_varz(&t, m);
    write_conns(&t, s);
    write_subs(&t, accounts, n);
    write_accounts(&t, accounts, n);
    write_health(&t, m);
    write_workers(&t, m);
    metrics_end(&t);
    mem_free(accounts);
    survey_deinit(s);
    query_finish(q);
}

static void answer(struct query *q)
{
    const struct monitor *m = q->monitor;
    struct metrics *x = mem_zalloc(sizeof(*x));

    x->query = q;
    x->survey.enter = begin_sums;
    x->survey.visit = add_conn;
    x->survey.done = on_surveyed;
    q->state = x;
    q->release = mem_free;
    survey_start(&x->survey, m->control, m->shards, m->n_workers);
}

extern const struct doc metrics_doc;
const struct doc metrics_doc = {.path = "/metrics",
                                .answer = answer,
                                .content_type =
                                    "application/openmetrics-text; version=1.0.0; charset=utf-8"};
