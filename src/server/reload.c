/* SPDX-License-Identifier: Apache-2.0 */
/* The transaction: read → check → compare → publish → settle. Up to "publish" nothing has
 * happened; from there on nothing may fail. */
#include "server/reload.h"

#include "auth/login.h"
#include "base/log.h"
#include "base/mem.h"
#include "broker/links.h"
#include "client/client.h"
#include "io/tls_context.h"
#include "server/advertise.h"
#include "server/cli.h"
#include "server/pid_file.h"
#include "server/ports_file.h"
#include "server/reload_diff.h"
#include "server/server.h"
#include "server/server_head.h"

/* ---- read */

static enum status read_config(const struct server *s, struct server_config *now, struct diag *d)
{
    enum status st = server_config_load(now, s->cli, s->cli->config, d);

    if (st == ST_OK) {
        activation_override(&s->activation, now);
        st = server_config_check(now, d);
    }
    return st == ST_OK ? advertise_check(&now->server, "invalid", d) : st;
}

/* ---- tell */

static void tell(struct server *s, struct str error)
{
    void (*done)(void *arg, struct str error) = s->reload.done;

    s->reload.done = NULL;
    if (done) {
        done(s->reload.done_arg, error);
    }
}

/* ---- publish */

struct adoption {
    struct inbox_item item;
    struct server *server;
    struct client_home *home;
};

static void settle(struct server *s);

/* A worker has done its part. */
static void on_answer(void *arg)
{
    struct server *s = arg;

    if (--s->reload.n_awaited == 0) {
        settle(s);
    }
}

static void answer(struct adoption *a)
{
    worker_call(a->server->control, on_answer, a->server);
    mem_free(a);
}

static void adopt(struct worker *w, struct inbox_item *item)
{
    struct adoption *a = CONTAINER_OF(item, struct adoption, item);
    const struct server *s = a->server;
    struct tls_context *tls = s->reload.tls;

    (void)w;
    client_home_secure(a->home, tls ? tls_context_ref(tls) : NULL);
    client_home_identify(a->home, s->reload.identity);
    client_home_adopt(a->home, &s->config->client, login_rules_ref(s->reload.rules),
                      s->config->auth.timeout_ns);
    answer(a);
}

/* Clients that were already closing when others adopted are told of once more, with what is old,
 * when this turn ends. */
static void give_up_old(struct worker *w, struct inbox_item *item)
{
    struct adoption *a = CONTAINER_OF(item, struct adoption, item);

    if (shard_is_closing_some(a->home->shard)) {
        worker_post(w, item);
        return;
    }
    client_home_settle(a->home);
    answer(a);
}

static void post_all(struct server *s, void (*run)(struct worker *w, struct inbox_item *item))
{
    s->reload.n_awaited = s->n_workers;
    for (unsigned i = 1; i <= s->n_workers; i++) {
        struct adoption *a = mem_alloc(sizeof(*a));

        *a = (struct adoption){.item.run = run, .server = s, .home = &s->homes[i]};
        worker_post(s->workers[i], &a->item);
    }
}

static void free_identity(struct server_identity *take_id)
{
    if (take_id) {
        mem_free((char *)(uintptr_t)take_id->host);
        mem_free(take_id);
    }
}

/* Nobody looks at the old any more. */
static void give_up(struct server *s)
{
    struct reload *r = &s->reload;

    if (r->identity) {
        s->clients.identity = *r->identity;
    }
    links_settle(&s->accounts);
    server_config_free(r->before);
    login_rules_unref(r->rules);
    tls_context_unref(r->tls);
    free_identity(r->identity_before);
    mem_free(r->head_before);
    r->head_before = NULL;
    r->before = NULL;
    r->rules = NULL;
    r->tls = NULL;
    r->identity_before = NULL;
    r->is_settling = false;
}

void reload_deinit(struct server *s)
{
    give_up(s);
    free_identity(s->reload.identity);
}

static void log_unpinned(struct server *s)
{
    int64_t n = atomic_exchange(&s->clients.n_unpinned, 0);

    if (n) {
        log_info("Disconnect %lld clients due to pinned certs reload", (long long)n);
    }
}

/* First everybody has adopted the new, then everybody has given up what others might look at. */
static void settle(struct server *s)
{
    struct reload *r = &s->reload;

    if (!r->is_settling) {
        r->is_settling = true;
        log_info("Reloaded server configuration (%s)", s->config->digest);
        post_all(s, give_up_old);
        return;
    }
    log_unpinned(s);
    give_up(s);
    notify_ready(&s->notify, "Serving clients, reloaded");
    if (r->is_wanted_again && !s->is_shutting_down) {
        r->is_wanted_again = false;
        reload_run(s);
    } else {
        tell(s, (struct str){0});
    }
}

/* Those that are more than max_connections allows are closed by the workers, whoever they are. */
static void count_surplus(struct server *s, const struct server_config *before)
{
    int64_t max = s->config->client.max_connections;
    int64_t surplus = atomic_load(&s->clients.stats.n_open) - (max > 0 ? max : 0);

    surplus = max < before->client.max_connections && surplus > 0 ? surplus : 0;
    atomic_store(&s->clients.n_surplus,
                 surplus); // some of the last time may have left by themselves
    if (surplus) {
        log_info("Closed %lld connections to fall within max_connections", (long long)surplus);
    }
}

static void move_pid_file(struct server *s, const struct server_config *before)
{
    struct diag d = {0};

    if (strcmp(before->server.pid_file, s->config->server.pid_file) == 0) {
        return;
    }
    s->has_pid_file = pid_file_write(s->config->server.pid_file, &d) == ST_OK;
    if (!s->has_pid_file) {
        log_error("Failed to write pidfile: %.*s", STR_ARG(diag_first(&d)));
    }
    diag_deinit(&d);
}

static void move_ports_file(struct server *s, const struct server_config *before)
{
    if (strcmp(before->server.ports_file_dir, s->config->server.ports_file_dir) != 0) {
        ports_file_take_remove(s->ports_path);
        server_write_ports_file(s);
    }
}

/* What INFO is to tell. */
static struct server_identity *identity_new(const struct server *s)
{
    const struct server_options *o = &s->config->server;
    struct server_identity *id = mem_alloc(sizeof(*id));
    struct str host;
    int64_t port;

    ENSURE(advertise_find(o, s->client_listener.port, &host, &port) == ST_OK);
    *id = s->clients.identity;
    id->name = o->server_name[0] ? o->server_name : s->key.id;
    id->host = mem_strndup(host.p, host.n);
    id->port = (uint16_t)port;
    return id;
}

static void change_head(struct server *s)
{
    s->reload.head_before = s->head;
    s->head = server_head_new(&s->config->server, s->reload.identity->name, s->key.id,
                              s->clients.identity.version);
    server_block_set_head(&s->block, s->head);
}

static void log_changes(struct str lines)
{
    log_info("Reloaded: authorization users");
    log_info("Reloaded: accounts");
    while (lines.n) {
        const char *lf = memchr(lines.p, '\n', lines.n);
        size_t n = (size_t)(lf - lines.p);

        log_info("%.*s", (int)n, lines.p);
        lines = (struct str){.p = lf + 1, .n = lines.n - n - 1};
    }
}

static void publish(struct server *s, struct server_config *now, struct str lines)
{
    struct server_config *before = s->config;

    s->config = now;
    s->reload.before = before;
    s->reload.rules = login_rules_new(&now->auth, &s->accounts, now->client.tls.verify_and_map);
    links_make(&s->accounts, now->tenancy);
    s->reload.identity_before = s->reload.identity;
    s->reload.identity = identity_new(s);
    change_head(s);
    log_changes(lines);
    count_surplus(s, before);
    server_facts_update(s);
    http_server_secure(&s->monitoring.http, s->reload.monitor_tls);
    s->reload.monitor_tls = NULL;
    move_pid_file(s, before);
    move_ports_file(s, before);
    post_all(s, adopt);
    auto_reload_start(s);
}

/* ---- all of it */

static void refuse_reload(struct server *s, struct server_config *take_now, struct str why)
{
    while (why.n && why.p[why.n - 1] == '\n') {
        why.n--;
    }
    log_lines(LOG_ERR, "Failed to reload server configuration: %.*s", STR_ARG(why));
    server_config_free(take_now);
    tell(s, why);
}

static void give_up_tls(struct reload *r)
{
    tls_context_unref(r->tls);
    tls_context_unref(r->monitor_tls);
    r->tls = r->monitor_tls = NULL;
}

static enum status make_tls(struct reload *r, const struct server_config *now, struct diag *d)
{
    enum status st = server_make_tls(now, &r->tls, d);

    if (st == ST_OK) {
        st = monitoring_make_tls(now, &r->monitor_tls, d);
    }
    if (st != ST_OK) {
        give_up_tls(r);
    }
    return st;
}

static void try_reload(struct server *s, struct diag *d, struct reload_diff *diff)
{
    struct server_config *now = mem_zalloc(sizeof(*now));

    if (read_config(s, now, d) != ST_OK) {
        refuse_reload(s, now, buf_str(&d->text));
        return;
    }
    reload_compare(s->config, now, s->client_listener.port, diff);
    if (diff->refusal.n) {
        refuse_reload(s, now, buf_str(&diff->refusal));
    } else if (make_tls(&s->reload, now, d) != ST_OK) {
        refuse_reload(s, now, buf_str(&d->text));
    } else if (log_open(&now->server.log, now->program, d) != ST_OK) {
        give_up_tls(&s->reload);
        refuse_reload(s, now, buf_str(&d->text));
    } else {
        publish(s, now, buf_str(&diff->changes));
    }
}

void reload_run(struct server *s)
{
    struct reload_diff diff = {0};
    struct diag d = {0};

    if (s->reload.before) {
        s->reload.is_wanted_again = true;
        return;
    }
    notify_reloading(&s->notify);
    if (s->cli->config) {
        try_reload(s, &d, &diff);
    } else {
        refuse_reload(s, NULL,
                      STR("can only reload config when a file is provided using -c or --config"));
    }
    if (!s->reload.before) { // nothing is under way
        notify_ready(&s->notify, "Serving clients; a reload was refused, see the log");
    }
    buf_deinit(&diff.refusal);
    buf_deinit(&diff.changes);
    diag_deinit(&d);
}

void reload_for(void *server, void (*done)(void *arg, struct str error), void *done_arg)
{
    struct server *s = server;

    s->reload.done = done;
    s->reload.done_arg = done_arg;
    reload_run(s);
}
