/* SPDX-License-Identifier: Apache-2.0 */
/* All in one struct; only its JSON is made here. */
#include "server/server_facts.h"

#include "auth/login.h"
#include "base/clock.h"
#include "client/client_tls.h"
#include "io/tls_context.h"
#include "server/advertise.h"
#include "server/server.h"
#include "server/server_head.h"
#include "server/version.h"

/** What a configuration without TLS has. */
#define USUAL_TLS_TIMEOUT_S 2

/* What write() has written, as a string of the arena. */
static struct str keep(struct arena *a, struct buf *take_json)
{
    struct str kept = take_json->n ? arena_str(a, buf_str(take_json)) : (struct str){0};

    buf_deinit(take_json);
    return kept;
}

/* As clients are told. */
static void take_address(const struct server *s, struct monitor_facts *f)
{
    const struct server_options *o = &s->config->server;

    if (advertise_find(o, s->client_listener.port, &f->host, &f->port) != ST_OK) {
        f->host = str_of(o->host); // was refused already
        f->port = s->client_listener.port;
    }
}

static void take_limits(const struct client_options *o, struct monitor_facts *f)
{
    static const char *const timeouts[] = {
        [CLIENT_WRITE_TIMEOUT_CLOSE] = "close", [CLIENT_WRITE_TIMEOUT_RETRY] = "retry"};

    f->max_connections = o->max_connections;
    f->max_subscriptions = o->max_subscriptions;
    f->max_payload = o->max_payload;
    f->max_pending = o->max_pending;
    f->max_control_line = o->max_control_line;
    f->max_closed_clients = o->max_closed_clients > 0 ? (size_t)o->max_closed_clients : 0;
    f->ping_interval_ns = o->ping_interval_ns;
    f->ping_max = o->ping_max;
    f->write_deadline_ns = o->write_deadline_ns;
    if (o->write_timeout != CLIENT_WRITE_TIMEOUT_DEFAULT) {
        f->write_timeout = str_of(timeouts[o->write_timeout]);
    }
}

static void take_security(const struct server *s, struct monitor_facts *f)
{
    const struct client_options *o = &s->config->client;
    const struct login_rules *rules = s->reload.rules ? s->reload.rules : s->homes[1].rules;
    const struct tls_context *tls = s->reload.rules ? s->reload.tls : s->homes[1].tls;
    int64_t timeout_ns = client_auth_timeout_ns(o, s->config->auth.timeout_ns);

    f->auth_required = login_is_required(rules);
    f->tls_required = client_tls_is_required(o);
    f->tls_verify = o->tls.is_on && o->tls.verify;
    f->auth_timeout_s = (double)timeout_ns / (double)CLOCK_SEC_NS;
    f->tls_timeout_s =
        o->tls.is_on ? (double)o->tls.timeout_ns / (double)CLOCK_SEC_NS : USUAL_TLS_TIMEOUT_S;
    f->tls_cert_not_after_ns = tls ? tls_context_not_after_ns(tls) : 0;
}

static void take_monitoring(const struct server_options *o, struct monitor_facts *f)
{
    const struct listen_address *a = o->monitor.https.port ? &o->monitor.https : &o->monitor.http;

    f->http_host = str_of(a->host ? a->host : o->host);
    f->http_base_path = str_of(o->monitor.base_path);
    f->http_port = o->monitor.http.port;
    f->https_port = o->monitor.https.port;
}

static void take_labels(const struct server_options *o, struct server_facts *out)
{
    struct buf tags = {0};
    struct buf metadata = {0};
    struct buf features = {0};

    server_head_write_tags(&o->server_tags, &tags);
    server_head_write_metadata(&o->server_metadata, &metadata);
    server_head_write_features(&o->feature_flags, &features);
    out->facts.tags = keep(&out->arena, &tags);
    out->facts.metadata = keep(&out->arena, &metadata);
    out->facts.feature_flags = keep(&out->arena, &features);
}

static void take_proxies(const struct auth_options *o, struct server_facts *out)
{
    const struct option_list *proxies = &o->trusted_proxies;
    struct str *keys = arena_alloc(&out->arena, proxies->n * sizeof(keys[0]));

    for (size_t i = 0; i < proxies->n; i++) {
        keys[i] = str_of(proxies->at[i]);
    }
    out->facts.trusted_proxies = keys;
    out->facts.n_trusted_proxies = proxies->n;
}

void server_facts_update(struct server *s)
{
    const struct server_config *c = s->config;
    struct server_facts *f = &s->facts;

    server_facts_deinit(f);
    f->facts = (struct monitor_facts){
        .server_id = str_of(s->key.id),
        .server_name = str_of(c->server.server_name[0] ? c->server.server_name : s->key.id),
        .version = STR(VERSION_COMPATIBLE),
        .build = STR(CLIENT_TOOLCHAIN),
        .config_digest = str_of(c->digest),
        .config_load_ns = clock_wall_ns(),
        .auth = &c->auth,
        .system_account = c->tenancy->system ? c->tenancy->system->name : (struct str){0},
    };
    take_address(s, &f->facts);
    take_limits(&c->client, &f->facts);
    take_security(s, &f->facts);
    take_monitoring(&c->server, &f->facts);
    take_labels(&c->server, f);
    take_proxies(&c->auth, f);
    monitor_configure(&s->monitor, &f->facts, c->tenancy);
}

void server_facts_deinit(struct server_facts *f)
{
    arena_deinit(&f->arena);
    *f = (struct server_facts){0};
}
