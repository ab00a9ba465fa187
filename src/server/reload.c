/* SPDX-License-Identifier: Apache-2.0 */
/* The transaction: read → check → compare → publish → settle. Up to "publish" nothing has
 * happened; from there on nothing may fail. */
#include "server/reload.h"

#include "auth/login.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/client.h"
#include "io/tls_context.h"
#include "server/cli.h"
#include "server/pid_file.h"
#include "server/server.h"

/* ---- compare */

/** Two configurations, row by row. */
struct comparison {
    const void *before;  // the struct of the present table, as it is
    struct buf *refusal; // why it cannot be done; empty: it can
    struct buf *changes; // what to log, a line each
};

/* Names that the reference has for options in its messages, where they are not the option's in
 * capitals. */
static const struct {
    const char *option;
    const char *field;
} fields[] = {
    {"max_subscriptions", "MaxSubs"},
    {"log_max_num", "LogMaxFiles"},
    {"disable_sublist_cache", "NoSublistCache"},
};

static const struct {
    const char *option;
    const char *text; // NULL: part of what is always said
} changes[] = {
    {"authorization.user", "authorization username"},
    {"authorization.password", "authorization password"},
    {"authorization.token", "authorization token"},
    {"authorization.users", NULL},
    {"authorization.default_permissions", NULL},
    {"accounts", NULL},
    {"server_tags", "tags"},
    {"server_metadata", "metadata"},
};

/* "lame_duck_duration" → "LameDuckDuration" */
static void add_field_name(struct buf *out, struct str name)
{
    bool is_start = true;

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (str_equal(str_of(fields[i].option), name)) {
            buf_add(out, str_of(fields[i].field));
            return;
        }
    }
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (c != '_' && c != '.') {
            buf_add_char(out, (char)(is_start && c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
        }
        is_start = c == '_' || c == '.';
    }
}

static void refuse(struct comparison *c, const struct option_slot *slot, struct str name)
{
    struct option_slot before = {.row = slot->row, .base = (void *)(uintptr_t)c->before};

    if (c->refusal->n) {
        return; // the first one is told
    }
    buf_add(c->refusal, STR("config reload not supported for "));
    add_field_name(c->refusal, name);
    buf_add(c->refusal, STR(": old="));
    option_print(&before, c->refusal);
    buf_add(c->refusal, STR(", new="));
    option_print(slot, c->refusal);
}

static void note_change(struct comparison *c, const struct option_slot *slot, struct str name)
{
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        if (str_equal(str_of(changes[i].option), name)) {
            if (changes[i].text) {
                buf_printf(c->changes, "%s\n", changes[i].text);
            }
            return;
        }
    }
    buf_printf(c->changes, "%.*s = ", STR_ARG(name));
    option_print(slot, c->changes);
    buf_add_char(c->changes, '\n');
}

/* A port that the system chose once stays when it is asked to choose again. */
static bool is_any_port(const struct option_slot *slot, struct str name)
{
    return str_equal(name, STR("port")) &&
           *(const int64_t *)(const void *)((const char *)slot->base + slot->row->offset) < 0;
}

static void compare_row(void *arg, const struct option_slot *slot, struct str name)
{
    struct comparison *c = arg;

    if (option_equal(slot->row, c->before, slot->base) || is_any_port(slot, name)) {
        return;
    }
    if (slot->row->reload == RELOAD_RESTART) {
        refuse(c, slot, name);
    } else {
        note_change(c, slot, name);
    }
}

static void compare(struct server_config *before, struct server_config *now, struct comparison *c)
{
    struct option_table tables_before[SERVER_CONFIG_N_TABLES + 1];
    struct option_table tables[SERVER_CONFIG_N_TABLES + 1];

    server_config_tables(before, tables_before);
    server_config_tables(now, tables);
    for (size_t i = 0; tables[i].rows; i++) {
        const struct option_table one[] = {tables[i], OPTION_TABLES_END};

        c->before = tables_before[i].base;
        option_for_each(one, compare_row, c);
    }
}

/* ---- read */

static enum status read_config(const struct server *s, struct server_config *now, struct diag *d)
{
    struct option_table tables[SERVER_CONFIG_N_TABLES + 1];
    struct diag warnings = {0};

    server_config_init(now, s->config->program);
    server_config_tables(now, tables);
    enum status st = server_config_read(now, s->cli->config, d);
    if (st == ST_OK) {
        st = cli_apply(s->cli, tables, &now->origins, d);
    }
    if (st == ST_OK) {
        st = server_config_check(now, d);
    }
    diag_deinit(&warnings);
    return st;
}

/* ---- publish */

struct adoption {
    struct inbox_item item;
    struct server *server;
    struct client_home *home;
};

static void settle(struct server *s);
static void post_all(struct server *s, void (*run)(struct worker *w, struct inbox_item *item));

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
    client_home_adopt(a->home, &s->config->client, login_rules_ref(s->reload.rules),
                      s->config->auth.timeout_ns);
    client_home_secure(a->home, tls ? tls_context_ref(tls) : NULL);
    answer(a);
}

static void give_up_old(struct worker *w, struct inbox_item *item)
{
    struct adoption *a = CONTAINER_OF(item, struct adoption, item);

    (void)w;
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

/* First everybody has adopted the new, then everybody has given up what others might look at. */
static void settle(struct server *s)
{
    struct reload *r = &s->reload;

    if (!r->is_settling) {
        r->is_settling = true;
        post_all(s, give_up_old);
        return;
    }
    reload_deinit(s);
    if (r->is_wanted_again && !s->is_shutting_down) {
        r->is_wanted_again = false;
        reload_run(s);
    }
}

void reload_deinit(struct server *s)
{
    server_config_free(s->reload.before);
    login_rules_unref(s->reload.rules);
    tls_context_unref(s->reload.tls);
    s->reload.before = NULL;
    s->reload.tls = NULL;
    s->reload.rules = NULL;
    s->reload.is_settling = false;
}

/* Those that are more than max_connections allows are closed by the workers, whoever they are. */
static void count_surplus(struct server *s, const struct server_config *before)
{
    int64_t max = s->config->client.max_connections;
    int64_t surplus = atomic_load(&s->clients.n_clients) - (max > 0 ? max : 0);

    if (max < before->client.max_connections && surplus > 0) {
        atomic_store(&s->clients.n_surplus, surplus);
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
        log_error("%.*s", STR_ARG(diag_first(&d)));
    }
    diag_deinit(&d);
}

static void log_changes(struct str lines)
{
    log_info("Reloaded: authorization users");
    log_info("Reloaded: accounts");
    while (lines.n) {
        const char *lf = memchr(lines.p, '\n', lines.n);
        size_t n = (size_t)(lf - lines.p);

        log_info("Reloaded: %.*s", (int)n, lines.p);
        lines = (struct str){.p = lf + 1, .n = lines.n - n - 1};
    }
}

static void publish(struct server *s, struct server_config *now, struct str lines)
{
    struct server_config *before = s->config;

    s->config = now;
    s->reload.before = before;
    s->reload.rules = login_rules_new(&now->auth, &s->accounts);
    log_changes(lines);
    count_surplus(s, before);
    move_pid_file(s, before);
    post_all(s, adopt);
    log_info("Reloaded server configuration (%s)", now->digest);
}

/* ---- all of it */

static void refuse_reload(struct server_config *take_now, struct str why)
{
    while (why.n && why.p[why.n - 1] == '\n') {
        why.n--;
    }
    log_error("Failed to reload server configuration: %.*s", STR_ARG(why));
    server_config_free(take_now);
}

static void try_reload(struct server *s, struct diag *d, struct comparison *c)
{
    struct server_config *now = mem_zalloc(sizeof(*now));

    if (read_config(s, now, d) != ST_OK) {
        refuse_reload(now, buf_str(&d->text));
        return;
    }
    compare(s->config, now, c);
    if (c->refusal->n) {
        refuse_reload(now, buf_str(c->refusal));
    } else if (server_make_tls(now, &s->reload.tls, d) != ST_OK) {
        refuse_reload(now, buf_str(&d->text));
    } else if (log_open(&now->server.log, now->program, d) != ST_OK) {
        tls_context_unref(s->reload.tls);
        s->reload.tls = NULL;
        refuse_reload(now, buf_str(&d->text));
    } else {
        publish(s, now, buf_str(c->changes));
    }
}

void reload_run(struct server *s)
{
    struct buf refusal = {0};
    struct buf lines = {0};
    struct comparison c = {.refusal = &refusal, .changes = &lines};
    struct diag d = {0};

    if (!s->cli->config) {
        log_error("Failed to reload server configuration: can only reload config when a file is "
                  "provided using -c or --config");
        return;
    }
    if (s->reload.before) {
        s->reload.is_wanted_again = true;
        return;
    }
    try_reload(s, &d, &c);
    buf_deinit(&refusal);
    buf_deinit(&lines);
    diag_deinit(&d);
}
