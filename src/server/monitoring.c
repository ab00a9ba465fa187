/* SPDX-License-Identifier: Apache-2.0 */
/* Monitoring has one listener, HTTP or HTTPS; profiling has another, on the host of clients.
 * Whatever keeps them from being opened keeps the server from starting. */
#include "server/monitoring.h"

#include <inttypes.h>

#include "base/log.h"
#include "io/tls_context.h"
#include "monitor/pages.h"
#include "server/server.h"

static bool is_https(const struct server_options *o)
{
    return o->monitor.https.port != 0;
}

static const char *scheme_of(const struct server_options *o)
{
    return is_https(o) ? "https" : "http";
}

static const struct listen_address *address_of(const struct server_options *o)
{
    return is_https(o) ? &o->monitor.https : &o->monitor.http;
}

const char *monitoring_host(const struct server_options *o)
{
    const struct listen_address *a = address_of(o);

    return a->host && a->host[0] ? a->host : o->host;
}

static enum status check(const struct server_options *o, struct diag *d)
{
    if (o->monitor.http.port && o->monitor.https.port) {
        diag_error(d, NULL, "can't specify both HTTP (%" PRId64 ") and HTTPs (%" PRId64 ") ports",
                   o->monitor.http.port, o->monitor.https.port);
        return ST_FAILED;
    }
    return ST_OK;
}

enum status monitoring_make_tls(const struct server_config *config, struct tls_context **out,
                                struct diag *d)
{
    struct tls_options o = config->client.tls;

    *out = NULL;
    if (!is_https(&config->server)) {
        return ST_OK;
    }
    if (!o.is_on) {
        diag_error(d, NULL, "TLS cert and key required for HTTPS");
        return ST_FAILED;
    }
    o.verify = o.verify_and_map = o.check_known_urls = false; // whoever asks may look
    return tls_context_new(&o, d, NULL, out);
}

static enum status secure(struct server *s, struct diag *d)
{
    struct tls_context *tls;
    enum status st = monitoring_make_tls(s->config, &tls, d);

    if (st == ST_OK) {
        http_server_secure(&s->monitoring.http, tls);
    }
    return st;
}

/* @param port  -1: any free one. @param d  what the operating system says */
static enum status open_listener(struct listener *l, struct worker *control, const char *host,
                                 int64_t port, struct diag *d)
{
    char why[256];

    if (port < -1 || port > UINT16_MAX) {
        diag_error(d, NULL, "listen tcp: address %" PRId64 ": invalid port", port);
        return ST_FAILED;
    }
    enum status st =
        listener_open(l, control, host, port < 0 ? 0 : (uint16_t)port, "Monitor", why, sizeof(why));
    if (st != ST_OK) {
        diag_error(d, NULL, "%s", why);
    }
    return st;
}

/* @return  a socket that the service manager listens on for us; -1: there is none */
static int take_passed(struct server *s)
{
    int fd = activation_take(&s->activation, "http");

    return fd >= 0 ? fd : activation_take(&s->activation, "monitor");
}

static enum status adopt_listener(struct listener *l, struct worker *control, int take_fd,
                                  struct diag *d)
{
    char why[128];
    enum status st = listener_adopt(l, control, take_fd, "Monitor", why, sizeof(why));

    if (st != ST_OK) {
        diag_error(d, NULL, "the socket passed as descriptor %d: %s", take_fd, why);
    }
    return st;
}

static void on_accept(struct listener *l, int fd, const struct sockaddr_storage *from)
{
    http_server_accept(l->arg, fd, from);
}

/* The first error is logged; the others are not. */
static enum status give_up(const char *what, struct diag *d)
{
    log_fatal("%s: %.*s", what, STR_ARG(diag_first(d)));
    diag_deinit(d);
    return ST_FAILED;
}

enum status monitoring_open(struct server *s)
{
    const struct server_options *o = &s->config->server;
    struct http_port *m = &s->monitoring;
    int passed = take_passed(s);
    struct diag d = {0};

    http_server_init(&m->http, &s->monitor, &monitoring_site, str_of(o->monitor.base_path));
    if (address_of(o)->port == 0 && passed < 0) {
        return ST_OK;
    }
    if (check(o, &d) != ST_OK || secure(s, &d) != ST_OK) {
        return give_up("Can't start monitoring", &d);
    }
    enum status st = passed >= 0 ? adopt_listener(&m->listener, s->control, passed, &d)
                                 : open_listener(&m->listener, s->control, monitoring_host(o),
                                                 address_of(o)->port, &d);
    if (st != ST_OK) {
        return give_up("Can't start monitoring: can't listen to the monitor port", &d);
    }
    log_info("Starting %s monitor on %s", scheme_of(o), m->listener.address);
    listener_start(&m->listener, on_accept, &m->http);
    diag_deinit(&d);
    return ST_OK;
}

enum status profiling_open(struct server *s)
{
    const struct server_options *o = &s->config->server;
    struct http_port *p = &s->profiling;
    struct diag d = {0};

    http_server_init(&p->http, &s->monitor, &profiling_site, STR(""));
    if (o->monitor.prof_port == 0) {
        return ST_OK;
    }
    if (open_listener(&p->listener, s->control, o->host, o->monitor.prof_port, &d) != ST_OK) {
        return give_up("error starting profiler", &d);
    }
    log_info("profiling port: %u", p->listener.port);
    listener_start(&p->listener, on_accept, &p->http);
    diag_deinit(&d);
    return ST_OK;
}

struct ports_file_entry monitoring_ports_entry(const struct server *s)
{
    const struct server_options *o = &s->config->server;

    return (struct ports_file_entry){"monitoring", scheme_of(o), monitoring_host(o),
                                     s->monitoring.listener.port};
}

struct ports_file_entry profiling_ports_entry(const struct server *s)
{
    return (struct ports_file_entry){"profile", "http", s->config->server.host,
                                     s->profiling.listener.port};
}

static void stop(struct http_port *p)
{
    listener_close(&p->listener);
    http_server_stop(&p->http);
}

void monitoring_stop(struct server *s)
{
    stop(&s->monitoring);
    stop(&s->profiling);
}
