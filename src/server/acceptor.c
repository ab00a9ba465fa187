/* SPDX-License-Identifier: Apache-2.0 */
/* From the listening socket to a worker. Each new connection goes to the worker that has the
 * fewest. */
#include "server/acceptor.h"

#include "base/log.h"
#include "base/mem.h"
#include "client/client_tls.h"
#include "server/advertise.h"
#include "server/server.h"

/** An accepted socket on its way to its worker. */
struct accepted {
    struct inbox_item item;
    struct client_home *home;
    int fd;
    struct addr from;
};

static void on_accepted(struct worker *w, struct inbox_item *item)
{
    struct accepted *a = CONTAINER_OF(item, struct accepted, item);

    (void)w;
    client_start(a->home, a->fd, &a->from);
    mem_free(a);
}

/* The worker with the fewest connections gets it. */
static void on_accept(struct listener *l, int fd, const struct sockaddr_storage *from)
{
    struct server *s = l->arg;
    struct shard *best = s->shards[1];

    for (unsigned i = 2; i <= s->n_workers; i++) {
        if (atomic_load_explicit(&s->shards[i]->n_load, memory_order_relaxed) <
            atomic_load_explicit(&best->n_load, memory_order_relaxed)) {
            best = s->shards[i];
        }
    }
    atomic_fetch_add_explicit(&best->n_load, 1, memory_order_relaxed);
    struct accepted *a = mem_alloc(sizeof(*a));
    *a = (struct accepted){
        .item.run = on_accepted, .home = &s->homes[best->index], .fd = fd, .from = addr_of(from)};
    if (best->worker == l->worker) {
        on_accepted(best->worker, &a->item);
    } else {
        worker_post(best->worker, &a->item);
    }
}

/* A lone worker accepts by itself: it saves two switches of threads per connection. Several are not
 * to be held up by one another's storms of connections. */
static struct worker *choose_acceptor(const struct server *s)
{
    return s->n_workers == 1 ? s->workers[1] : s->control;
}

static void log_adoption_failed(int fd, const char *why)
{
    log_fatal("Error listening on the socket passed as descriptor %d: %s", fd, why);
}

/* Listens on a socket that the service manager passed. */
static enum status adopt(struct server *s, struct listener *l, int fd, const char *kind)
{
    char why[128];
    enum status st = listener_adopt(l, choose_acceptor(s), fd, kind, why, sizeof(why));

    if (st != ST_OK) {
        log_adoption_failed(fd, why);
    }
    return st;
}

static void log_listening(const struct listener *l)
{
    log_info("Listening for client connections on %s%s", l->is_unix ? "unix:" : "", l->address);
}

static enum status adopt_unix(struct server *s, int fd)
{
    enum status st = adopt(s, &s->unix_listener, fd, "Unix client");

    if (st != ST_OK) {
        return st;
    }
    if (!s->unix_listener.is_unix) {
        log_adoption_failed(fd, "it is no Unix socket");
        return ST_FAILED;
    }
    log_listening(&s->unix_listener);
    return ST_OK;
}

static enum status open_unix(struct server *s)
{
    const struct server_options *o = &s->config->server;
    int passed = activation_take(&s->activation, "unix");

    if (passed >= 0) {
        return adopt_unix(s, passed);
    }
    if (!o->unix_socket[0]) {
        return ST_OK;
    }
    enum status st = listener_open_unix(&s->unix_listener, choose_acceptor(s), o->unix_socket,
                                        server_options_unix_mode(o), "Unix client");
    if (st != ST_OK) {
        log_fatal("Error listening on unix socket: %s, \"%s\"", o->unix_socket, status_text(st));
        return st;
    }
    log_listening(&s->unix_listener);
    return ST_OK;
}

static enum status open_client(struct server *s)
{
    const struct server_options *o = &s->config->server;
    uint16_t port = o->port < 0 ? 0 : o->port == 0 ? 4222 : (uint16_t)o->port;
    char why[256];
    int passed = activation_take(&s->activation, "client");

    if (passed >= 0) {
        return adopt(s, &s->client_listener, passed, "Client");
    }
    if (o->port < -1 || o->port > UINT16_MAX) {
        log_fatal("Error listening on port: %s:%lld, \"listen tcp: address %lld: invalid port\"",
                  o->host, (long long)o->port, (long long)o->port);
        return ST_FAILED;
    }
    bool is_v6 = strchr(o->host, ':') != NULL;
    enum status st = listener_open(&s->client_listener, choose_acceptor(s), o->host, port, "Client",
                                   why, sizeof(why));

    if (st != ST_OK) {
        log_fatal("Error listening on port: %s%s%s:%u, \"%s\"", is_v6 ? "[" : "", o->host,
                  is_v6 ? "]" : "", port, why);
    }
    return st;
}

enum status acceptor_open(struct server *s)
{
    const struct server_options *o = &s->config->server;
    struct str host;
    int64_t advertised_port;
    enum status st = open_client(s);

    if (st != ST_OK) {
        return st;
    }
    if (advertise_find(o, s->client_listener.port, &host, &advertised_port) != ST_OK) {
        log_fatal("Error advertising \"%s\"", o->client_advertise);
        return ST_FAILED;
    }
    s->advertised_host = mem_strndup(host.p, host.n);
    s->clients.identity.host = s->advertised_host;
    s->clients.identity.port = (uint16_t)advertised_port;
    log_listening(&s->client_listener);
    client_tls_log_mode(&s->config->client);
    if (s->config->client.proxy_protocol) {
        log_info("PROXY protocol enabled for client connections");
    }
    return open_unix(s);
}

void acceptor_start(struct server *s)
{
    s->is_accepting = true;
    listener_start(&s->client_listener, on_accept, s);
    if (s->unix_listener.fd >= 0) {
        listener_start(&s->unix_listener, on_accept, s);
    }
}

static void close_listeners(void *arg)
{
    struct server *s = arg;

    listener_close(&s->client_listener);
    listener_close(&s->unix_listener);
}

void acceptor_stop(struct server *s)
{
    if (!s->is_accepting) {
        return;
    }
    s->is_accepting = false;
    listener_refuse(&s->client_listener);
    if (s->unix_listener.fd >= 0) {
        listener_refuse(&s->unix_listener);
    }
    if (choose_acceptor(s) == s->control) {
        close_listeners(s); // now: connections to a socket that is not ours still come
    } else {
        worker_call(choose_acceptor(s), close_listeners, s);
    }
}
