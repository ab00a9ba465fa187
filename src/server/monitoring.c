/* SPDX-License-Identifier: Apache-2.0 */
#include "server/monitoring.h"

#include <inttypes.h>

#include "base/log.h"
#include "io/tls_context.h"
#include "server/server.h"

/* Where the options want monitoring. */
struct wish {
    const char *scheme; // "http" or "https"
    const char *host;
    int64_t port; // as configured; 0: nowhere
};

static struct wish wish_of(const struct server_options *o)
{
    bool is_https = o->monitor.https.port != 0;
    const struct listen_address *a = is_https ? &o->monitor.https : &o->monitor.http;

    return (struct wish){.scheme = is_https ? "https" : "http",
                         .host = a->host && a->host[0] ? a->host : o->host,
                         .port = a->port};
}

enum status monitoring_check(const struct server_config *config, struct diag *d)
{
    if (config->server.monitor.https.port && !config->client.tls.is_on) {
        diag_error(d, NULL, "TLS cert and key required for HTTPS");
        return ST_FAILED;
    }
    return ST_OK;
}

enum status monitoring_make_tls(const struct server_config *config, struct tls_context **out,
                                struct diag *d)
{
    struct tls_options o = config->client.tls;

    *out = NULL;
    o.verify = o.verify_and_map = o.check_known_urls = false; // whoever asks may look
    return config->server.monitor.https.port ? tls_context_new(&o, d, NULL, out) : ST_OK;
}

static enum status secure(struct server *s)
{
    struct tls_context *tls;
    struct diag d = {0};
    enum status st = monitoring_make_tls(s->config, &tls, &d);

    if (st == ST_OK) {
        http_server_secure(&s->monitoring.http, tls);
    } else {
        log_fatal("Can't start monitoring: %.*s", STR_ARG(diag_first(&d)));
    }
    diag_deinit(&d);
    return st;
}

static enum status open_listener(struct server *s, const struct wish *w)
{
    struct listener *l = &s->monitoring.listener;
    char why[256];

    if (w->port < -1 || w->port > UINT16_MAX) {
        log_fatal("Can't start monitoring: can't listen to the monitor port: listen tcp: address "
                  "%" PRId64 ": invalid port",
                  w->port);
        return ST_FAILED;
    }
    uint16_t port = w->port < 0 ? 0 : (uint16_t)w->port;
    enum status st = listener_open(l, s->control, w->host, port, "Monitor", why, sizeof(why));
    if (st != ST_OK) {
        l->fd = -1;
        log_fatal("Can't start monitoring: can't listen to the monitor port: %s", why);
    }
    return st;
}

static void on_accept(struct listener *l, int fd, const struct sockaddr_storage *from)
{
    http_server_accept(l->arg, fd, from);
}

enum status monitoring_open(struct server *s)
{
    struct monitoring *m = &s->monitoring;
    struct wish w = wish_of(&s->config->server);

    http_server_init(&m->http, &s->monitor, str_of(s->config->server.monitor.base_path));
    if (w.port == 0) {
        return ST_OK;
    }
    enum status st = secure(s);
    if (st == ST_OK) {
        st = open_listener(s, &w);
    }
    if (st == ST_OK) {
        log_info("Starting %s monitor on %s", w.scheme, m->listener.address);
        listener_start(&m->listener, on_accept, &m->http);
    }
    return st;
}

struct ports_file_entry monitoring_ports_entry(const struct server *s)
{
    struct wish w = wish_of(&s->config->server);

    return (struct ports_file_entry){"monitoring", w.scheme, w.host, s->monitoring.listener.port};
}

void monitoring_stop(struct server *s)
{
    listener_close(&s->monitoring.listener);
    http_server_stop(&s->monitoring.http);
}
