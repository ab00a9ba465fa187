/* SPDX-License-Identifier: Apache-2.0 */
/* Start and stop. Workers end in three steps: they drain (connections flush and close), report to
 * the control thread, and when the last has done so all loops are stopped. */
#include "server/server.h"

#include <signal.h>
#include <sys/resource.h>

#include "auth/login.h"
#include "base/log.h"
#include "base/mem.h"
#include "broker/account.h"
#include "broker/deliver.h"
#include "broker/links.h"
#include "client/client_tls.h"
#include "io/tls_context.h"
#include "server/acceptor.h"
#include "server/pid_file.h"
#include "server/ports_file.h"
#include "server/server_head.h"
#include "server/version.h"

/* ---- posting ---- */

struct shard_call {
    struct inbox_item item;
    struct shard *shard;
    void (*fn)(struct shard *sh, void *arg);
    void *arg;
};

static void run_shard_call(struct worker *w, struct inbox_item *item)
{
    struct shard_call *c = CONTAINER_OF(item, struct shard_call, item);

    (void)w;
    c->fn(c->shard, c->arg);
    mem_free(c);
}

void server_post_all(struct server *s, void (*fn)(struct shard *sh, void *arg), void *arg)
{
    for (unsigned i = 1; i <= s->n_workers; i++) {
        struct shard_call *c = mem_alloc(sizeof(*c));

        *c = (struct shard_call){
            .item.run = run_shard_call, .shard = s->shards[i], .fn = fn, .arg = arg};
        worker_post(s->workers[i], &c->item);
    }
}

/* ---- start ---- */

/* One connection is one descriptor: take what the system allows. */
static void raise_fd_limit(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

static unsigned choose_n_workers(const struct server_options *o)
{
    unsigned n = o->io_threads > 0 ? (unsigned)o->io_threads : worker_count_cores();

    return n > SERVER_MAX_WORKERS ? SERVER_MAX_WORKERS : n;
}

static enum status create_workers(struct server *s)
{
    char hash[ACCOUNTS_HASH_BYTES + 1];

    s->n_workers = choose_n_workers(&s->config->server);
    s->workers = mem_zalloc((s->n_workers + 1) * sizeof(struct worker *));
    for (unsigned i = 0; i <= s->n_workers; i++) {
        struct worker *w = mem_zalloc_aligned(sizeof(*w));
        enum status st = worker_init(w, i);

        if (st != ST_OK) {
            log_fatal("Error creating event loop: %s", status_text(st));
            mem_free(w);
            s->n_workers = i ? i - 1 : 0;
            return st;
        }
        s->workers[i] = w;
    }
    s->control = s->workers[0];
    s->shards = mem_zalloc((s->n_workers + 1) * sizeof(struct shard *));
    chunk_depot_init(&s->depot);
    shards_new(s->workers, s->n_workers, &s->depot, s->shards);
    nkey_hash_name(s->clients.identity.name, hash);
    accounts_init(&s->accounts, s->n_workers + 1, hash);
    monitor_init(&s->monitor, s->shards, s->n_workers, &s->accounts, &s->clients.stats);
    s->monitor.block = &s->block;
    s->clients.watcher = &s->monitor.watcher;
    s->homes = mem_zalloc((s->n_workers + 1) * sizeof(struct client_home));
    for (unsigned i = 1; i <= s->n_workers; i++) {
        const struct client_options *o = &s->config->client;

        client_home_init(&s->homes[i], &s->clients, s->shards[i],
                         delivery_new(s->shards[i], &s->block, o->no_fast_producer_stall), o);
    }
    return ST_OK;
}

static void log_banner(const struct server *s)
{
    log_info("Starting nats-server");
    log_info("  Version:  %s", VERSION_COMPATIBLE);
    log_info("  Git:      [not set]");
    log_debug("  Build:    gnatwren %s, %s", GNATWREN_VERSION, __VERSION__);
    log_info("  Name:     %s", s->clients.identity.name);
    log_info("  ID:       %s", s->key.id);
    server_config_log(s->config);
}

static void create_identity(struct server *s)
{
    const struct server_options *o = &s->config->server;

    nkey_server_init(&s->key);
    s->clients.identity = (struct server_identity){
        .id = s->key.id,
        .name = o->server_name[0] ? o->server_name : s->key.id,
        .version = VERSION_COMPATIBLE,
        .xkey = s->key.xkey,
    };
    s->block.seq = 1; // as of the Go server: the first message has number 2
    s->head = server_head_new(o, s->clients.identity.name, s->key.id, VERSION_COMPATIBLE);
    server_block_set_head(&s->block, s->head);
}

enum status server_make_tls(const struct server_config *config, struct tls_context **out,
                            struct diag *d)
{
    *out = NULL;
    return config->client.tls.is_on ? tls_context_new(&config->client.tls, d, NULL, out) : ST_OK;
}

static void log_warnings(const struct server_config *config)
{
    if (auth_options_have_plain_password(&config->auth, config->client.tls.verify_and_map)) {
        log_warn("Plaintext passwords detected, use nkeys or bcrypt");
    }
    client_options_log_warnings(&config->client);
}

static void set_up_clients(struct server *s)
{
    const struct tenant *system = s->config->tenancy->system;
    const struct auth_options *o = &s->config->auth;
    struct login_rules *rules =
        login_rules_new(o, &s->accounts, s->config->client.tls.verify_and_map);

    s->clients.global = accounts_get(&s->accounts, ACCOUNT_GLOBAL);
    links_make(&s->accounts, s->config->tenancy);
    s->monitor.system = system ? accounts_get(&s->accounts, system->name.p) : NULL;
    system_open(&s->system, &s->monitor, str_of(s->key.id), s->homes[1].delivery);
    s->system.reload = reload_for;
    s->system.reload_arg = s;
    for (unsigned i = 1; i <= s->n_workers; i++) {
        client_home_admit(&s->homes[i], login_rules_ref(rules), o->timeout_ns);
    }
    login_rules_unref(rules);
}

static enum status secure_clients(struct server *s)
{
    struct tls_context *tls = NULL;
    struct diag d = {0};
    enum status st = server_make_tls(s->config, &tls, &d);

    if (st != ST_OK) {
        log_fatal("%.*s", STR_ARG(diag_first(&d)));
    }
    for (unsigned i = 1; st == ST_OK && i <= s->n_workers; i++) {
        client_home_secure(&s->homes[i], tls ? tls_context_ref(tls) : NULL);
    }
    tls_context_unref(tls);
    diag_deinit(&d);
    return st;
}

static enum status start_workers(struct server *s)
{
    for (unsigned i = 1; i <= s->n_workers; i++) {
        enum status st = worker_start(s->workers[i]);

        if (st != ST_OK) {
            log_fatal("Error starting thread: %s", status_text(st));
            return st;
        }
        s->n_started = i;
    }
    return ST_OK;
}

static enum status write_pid_file(struct server *s)
{
    struct diag d = {0};
    enum status st = pid_file_write(s->config->server.pid_file, &d);

    if (st == ST_OK) {
        s->has_pid_file = true;
    } else {
        log_fatal("Could not write pidfile: %.*s", STR_ARG(diag_first(&d)));
    }
    diag_deinit(&d);
    return st;
}

void server_write_ports_file(struct server *s)
{
    const struct ports_file_entry entries[] = {
        {"nats", client_tls_is_required(&s->config->client) ? "tls" : "nats",
         s->config->server.host, s->client_listener.port},
        monitoring_ports_entry(s),
        profiling_ports_entry(s),
    };

    s->ports_path = ports_file_write(s->config->server.ports_file_dir, s->config->program, entries,
                                     ARRAY_SIZE(entries));
}

enum status server_start(struct server *s, struct server_config *take_config, const struct cli *cli)
{
    enum status st;

    *s = (struct server){.config = take_config,
                         .cli = cli,
                         .client_listener.fd = -1,
                         .unix_listener.fd = -1,
                         .monitoring.listener.fd = -1,
                         .profiling.listener.fd = -1};
    signal(SIGPIPE, SIG_IGN);
    raise_fd_limit();
    notify_open(s);
    st = activation_open(&s->activation);
    if (st != ST_OK) {
        return st;
    }
    activation_override(&s->activation, s->config);
    create_identity(s);
    st = create_workers(s);
    if (st != ST_OK) {
        return st;
    }
    log_banner(s);
    log_warnings(take_config);
    st = profiling_open(s);
    if (st != ST_OK) {
        return st;
    }
    st = write_pid_file(s);
    if (st != ST_OK) {
        return st;
    }
    set_up_clients(s);
    st = secure_clients(s);
    if (st != ST_OK) {
        return st;
    }
    signals_start(s);
    st = monitoring_open(s);
    if (st != ST_OK) {
        return st;
    }
    st = acceptor_open(s);
    if (st != ST_OK) {
        return st;
    }
    server_facts_update(s);
    acceptor_start(s); // its worker may be one of those that run from here on
    st = start_workers(s);
    if (st != ST_OK) {
        return st;
    }
    reclaim_start(s);
    auto_reload_start(s);
    server_write_ports_file(s);
    activation_close_rest(&s->activation);
    log_info("Server is ready");
    notify_ready(&s->notify, "Serving clients");
    return ST_OK;
}

void server_run(struct server *s)
{
    worker_run(s->control);
}

/* ---- stop ---- */

static void stop_worker(struct shard *sh, void *arg)
{
    (void)arg;
    worker_stop(sh->worker);
}

static void on_worker_drained(void *arg)
{
    struct server *s = arg;

    if (--s->n_draining == 0) {
        server_post_all(s, stop_worker, NULL);
        worker_stop(s->control);
    }
}

static void on_shard_drained(struct shard *sh, void *arg)
{
    (void)sh;
    worker_call(((struct server *)arg)->control, on_worker_drained, arg);
}

static void drain_shard(struct shard *sh, void *arg)
{
    shard_drain(sh, CLOSE_SERVER_SHUTDOWN, on_shard_drained, arg);
}

/* What the system account had to be told is on its way; connections flush before they close. */
static void drain(void *arg)
{
    struct server *s = arg;

    monitoring_stop(s);
    s->n_draining = s->n_workers + 1;
    server_post_all(s, drain_shard, s);
    drain_shard(s->shards[0], s);
}

void server_shutdown(struct server *s)
{
    if (s->is_shutting_down) {
        return;
    }
    s->is_shutting_down = true;
    s->monitor.is_stopping = true;
    log_info("Initiating Shutdown...");
    notify_stopping(&s->notify, "Shutting down", 0);
    lame_duck_stop(&s->lame_duck);
    acceptor_stop(s);
    system_tell_shutdown(&s->system, drain, s);
}

void server_deinit(struct server *s)
{
    if (!s->is_shutting_down && s->control) { // a start that failed half-way
        s->monitor.is_stopping = true;
        acceptor_stop(s);
        monitoring_stop(s);
        server_post_all(s, stop_worker, NULL);
    }
    for (unsigned i = 1; i <= s->n_started; i++) {
        worker_join(s->workers[i]);
    }
    if (s->control) {
        signals_stop(s);
        auto_reload_stop(s);
        for (unsigned i = s->n_workers + 1; i-- > 0;) { // control last: the others post to it
            worker_deinit(s->workers[i]);
        }
        for (unsigned i = 1; i <= s->n_workers; i++) {
            client_home_deinit(&s->homes[i]);
        }
        system_close(&s->system);
        shards_free(s->shards, s->n_workers);
        chunk_depot_deinit(&s->depot);
        http_server_deinit(&s->monitoring.http);
        http_server_deinit(&s->profiling.http);
        monitor_deinit(&s->monitor);
        server_facts_deinit(&s->facts);
    }
    for (unsigned i = 0; s->workers && i <= s->n_workers; i++) {
        mem_free(s->workers[i]);
    }
    ports_file_take_remove(s->ports_path);
    if (s->has_pid_file) {
        pid_file_remove(s->config->server.pid_file);
    }
    notify_close(&s->notify);
    activation_deinit(&s->activation);
    accounts_deinit(&s->accounts);
    mem_free(s->head);
    lame_duck_deinit(&s->lame_duck);
    reload_deinit(s);
    server_config_free(s->config);
    mem_free(s->workers);
    mem_free(s->shards);
    mem_free(s->homes);
    mem_free(s->advertised_host);
    nkey_server_deinit(&s->key);
}
