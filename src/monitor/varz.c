/* SPDX-License-Identifier: Apache-2.0 */
/* /varz: the server as a whole (spec 07 §5). What it says of capabilities that do not exist yet is
 * what nats-server says while they are off. */
#include "monitor/varz.h"

#include <stdlib.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/process.h"
#include "conn/conn_stats.h"
#include "io/worker.h"
#include "monitor/data_stats.h"
#include "monitor/doc.h"
#include "monitor/docs.h"
#include "monitor/facts.h"
#include "monitor/monitor.h"
#include "monitor/query.h"

#define PROTOCOL_VERSION 1

static void write_identity(struct json *j, const struct monitor_facts *f)
{
    json_add_str(j, "server_id", f->server_id);
    json_add_str(j, "server_name", f->server_name);
    json_add_str(j, "version", f->version);
    json_add_int(j, "proto", PROTOCOL_VERSION);
    json_add_str(j, "go", f->build);
    json_add_str(j, "host", f->host);
    json_add_int(j, "port", f->port);
    json_opt_bool(j, "auth_required", f->auth_required);
    json_opt_bool(j, "tls_required", f->tls_required);
    json_opt_bool(j, "tls_verify", f->tls_verify);
}

static void write_limits(struct json *j, const struct monitor_facts *f)
{
    json_add_int(j, "max_connections", f->max_connections);
    json_opt_int(j, "max_subscriptions", f->max_subscriptions);
    json_add_int(j, "ping_interval", f->ping_interval_ns);
    json_add_int(j, "ping_max", f->ping_max);
    json_add_str(j, "http_host", f->http_host);
    json_add_int(j, "http_port", f->http_port);
    json_add_str(j, "http_base_path", f->http_base_path);
    json_add_int(j, "https_port", f->https_port);
    json_add_real(j, "auth_timeout", f->auth_timeout_s);
    json_add_int(j, "max_control_line", f->max_control_line);
    json_add_int(j, "max_payload", f->max_payload);
    json_add_int(j, "max_pending", f->max_pending);
}

static void write_capabilities(struct json *j)
{
    static const char *const unused[] = {"cluster", "gateway",   "leaf",
                                         "mqtt",    "websocket", "jetstream"};

    for (size_t i = 0; i < ARRAY_SIZE(unused); i++) {
        json_key(j, unused[i]);
        json_open_object(j);
        json_close_object(j);
    }
}

static void write_process(struct json *j, const struct monitor *m, int64_t now_ns)
{
    char uptime[CLOCK_UPTIME_MAX];

    clock_format_uptime(now_ns - m->start_ns, uptime);
    json_add_real(j, "tls_timeout", m->facts->tls_timeout_s);
    json_add_int(j, "write_deadline", m->facts->write_deadline_ns);
    json_opt_str(j, "write_timeout", m->facts->write_timeout);
    json_add_time(j, "start", m->start_ns);
    json_add_time(j, "now", now_ns);
    json_add_str(j, "uptime", str_of(uptime));
    json_add_uint(j, "mem", process_resident_bytes());
    json_add_int(j, "cores", worker_count_cores());
    json_add_int(j, "gomaxprocs", m->n_workers);
    json_add_real(j, "cpu", m->cpu.percent);
}

static void write_traffic(struct json *j, const struct traffic *t)
{
    json_add_uint(j, "in_msgs", t->in_msgs);
    json_add_uint(j, "in_bytes", t->in_bytes);
    json_add_uint(j, "in_client_msgs", t->in_msgs);
    json_add_uint(j, "in_client_bytes", t->in_bytes);
    json_add_uint(j, "out_msgs", t->out_msgs);
    json_add_uint(j, "out_bytes", t->out_bytes);
    json_add_uint(j, "out_client_msgs", t->out_msgs);
    json_add_uint(j, "out_client_bytes", t->out_bytes);
}

static void write_sums(struct json *j, const struct monitor *m)
{
    const struct conn_stats *c = m->clients;
    struct traffic traffic = monitor_traffic(m);

    json_add_int(j, "connections", atomic_load(&c->n_open));
    json_add_uint(j, "total_connections", atomic_load(&c->n_total));
    json_add_int(j, "routes", 0);
    json_add_int(j, "remotes", 0);
    json_add_int(j, "leafnodes", 0);
    write_traffic(j, &traffic);
    json_add_uint(j, "slow_consumers", monitor_count_slow(m));
    json_add_uint(j, "stale_connections", atomic_load(&c->n_stale));
    json_add_uint(j, "stalled_clients", atomic_load(&c->n_stalls));
    json_add_uint(j, "subscriptions", monitor_count_subs(m));
}

/** A path and how often it was asked for. */
struct visits {
    const char *path;
    uint64_t n;
};

static int compare_paths(const void *a, const void *b)
{
    const struct visits *va = a;
    const struct visits *vb = b;

    return str_compare(str_of(va->path), str_of(vb->path));
}

static void write_visits(struct json *j, const struct monitor *m)
{
    size_t n = docs_count();
    struct visits *list = mem_alloc((n + 1) * sizeof(list[0]));

    for (size_t i = 0; i < n; i++) {
        const struct doc *doc = docs_at(i);
        bool is_listed = doc->path && doc->is_counted;

        list[i] = (struct visits){doc->path ? doc->path : "", is_listed ? m->n_requests[i] : 0};
    }
    list[n] = (struct visits){"/", m->n_root_requests};
    qsort(list, n + 1, sizeof(list[0]), compare_paths);
    json_key(j, "http_req_stats");
    json_open_object(j);
    for (size_t i = 0; i <= n; i++) {
        json_opt_uint(j, list[i].path, list[i].n);
    }
    json_close_object(j);
    mem_free(list);
}

static void write_configuration(struct json *j, const struct monitor_facts *f)
{
    json_add_time(j, "config_load_time", f->config_load_ns);
    json_add_str(j, "config_digest", f->config_digest);
    json_opt_raw(j, "tags", f->tags);
    json_opt_raw(j, "metadata", f->metadata);
    json_opt_raw(j, "feature_flags", f->feature_flags);
    json_opt_str(j, "system_account", f->system_account);
}

static void write_disk(struct json *j)
{
    json_key(j, "disk_io_wait_stats");
    json_open_object(j);
    json_add_int(j, "waiters", 0);
    json_add_int(j, "waits", 0);
    json_add_int(j, "wait_time", 0);
    json_add_int(j, "max_wait_time", 0);
    json_close_object(j);
}

static void write_proxies(struct json *j, const struct monitor_facts *f)
{
    if (f->n_trusted_proxies == 0) {
        return;
    }
    json_key(j, "proxies");
    json_open_object(j);
    json_key(j, "trusted");
    json_open_array(j);
    for (size_t i = 0; i < f->n_trusted_proxies; i++) {
        json_open_object(j);
        json_add_str(j, "key", f->trusted_proxies[i]);
        json_close_object(j);
    }
    json_close_array(j);
    json_close_object(j);
}

void varz_write(struct json *j, const struct monitor *m)
{
    const struct monitor_facts *f = m->facts;

    json_open_object(j);
    write_identity(j, f);
    write_limits(j, f);
    write_capabilities(j);
    write_process(j, m, clock_wall_ns());
    write_sums(j, m);
    write_visits(j, m);
    write_configuration(j, f);
    data_stats_write_kinds(j, "slow_consumer_stats", monitor_count_slow(m));
    data_stats_write_kinds(j, "stale_connection_stats", atomic_load(&m->clients->n_stale));
    write_disk(j);
    write_proxies(j, f);
    if (f->tls_cert_not_after_ns) {
        json_add_time(j, "tls_cert_not_after", f->tls_cert_not_after_ns);
    }
    json_close_object(j);
}

static void answer(struct query *q)
{
    varz_write(&q->json, q->monitor);
    query_finish(q);
}

extern const struct doc varz_doc;
const struct doc varz_doc = {
    .name = "VARZ", .path = "/varz", .answer = answer, .indent = 2, .is_counted = true};
