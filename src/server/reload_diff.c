/* SPDX-License-Identifier: Apache-2.0 */
/* The row of an option says whether it may change; here is how that is told. A few options are
 * told, or judged, in a way of their own: they have a function in `wordings`. */
#include "server/reload_diff.h"

#include "auth/tls_block.h"
#include "auth/tls_types.h"
#include "base/clock.h"
#include "base/quote.h"
#include "broker/perms.h"
#include "client/client.h"
#include "server/monitoring.h"
#include "server/server_config.h"

struct comparison {
    const struct server_config *before;
    const struct server_config *now;
    const void *base; // the struct of the present table, as it is in `before`
    int port;
    struct reload_diff *out;
};

static void refuse(struct comparison *c, const char *field, const char *format, ...)
    PRINTF_LIKE(3, 4);

static void refuse(struct comparison *c, const char *field, const char *format, ...)
{
    va_list ap;

    if (c->out->refusal.n) {
        return; // the first one is told
    }
    buf_printf(&c->out->refusal, "config reload not supported for %s: ", field);
    va_start(ap, format);
    buf_vprintf(&c->out->refusal, format, ap);
    va_end(ap);
}

/* ---- options that are judged or told in a way of their own */

/* Any port will do, so the one that the system chose stays. */
static void compare_port(struct comparison *c)
{
    int64_t now = c->now->server.port;

    if (now >= 0 && now != c->port) {
        refuse(c, "Port", "old=%d, new=%lld", c->port, (long long)now);
    }
}

/* The ports have rows of their own. */
static void compare_monitor_host(struct comparison *c)
{
    const char *before = monitoring_host(&c->before->server);
    const char *now = monitoring_host(&c->now->server);

    if (strcmp(before, now) != 0) {
        refuse(c, "HTTPHost", "old=%s, new=%s", before, now);
    }
}

static void compare_advertised(struct comparison *c)
{
    const char *now = c->now->server.client_advertise;

    if (strcmp(c->before->server.client_advertise, now) != 0) {
        buf_printf(&c->out->changes, "Reload: client_advertise = %s\n", now);
    }
}

static void compare_stall(struct comparison *c)
{
    bool now = c->now->client.no_fast_producer_stall;

    if (c->before->client.no_fast_producer_stall != now) {
        buf_printf(&c->out->changes, "Reloaded: fast producers will %sbe stalled\n",
                   now ? "not " : "");
    }
}

/* None at all is told as the reference keeps it. */
static void compare_max_connections(struct comparison *c)
{
    int64_t now = c->now->client.max_connections;

    if (c->before->client.max_connections != now) {
        buf_printf(&c->out->changes, "Reloaded: max_connections = %lld\n",
                   now ? (long long)now : -1LL);
    }
}

static double auth_timeout_s(const struct server_config *c)
{
    int64_t timeout_ns = client_auth_timeout_ns(&c->client, c->auth.timeout_ns);

    return (double)timeout_ns / (double)CLOCK_SEC_NS;
}

static void compare_auth_timeout(struct comparison *c)
{
    double now = auth_timeout_s(c->now);

    if (auth_timeout_s(c->before) != now) {
        buf_printf(&c->out->changes, "Reloaded: authorization timeout = %g\n", now);
    }
}

static bool list_has_user(const struct user_list *l, const char *id)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct user_options *u = &l->at[i];

        if (strcmp(u->nkey[0] ? u->nkey : u->name, id) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_user(const struct auth_options *o, const char *id)
{
    bool is_found = list_has_user(&o->users, id);

    for (size_t i = 0; i < o->accounts.n && !is_found; i++) {
        is_found = list_has_user(&o->accounts.at[i].users, id);
    }
    return is_found;
}

/* It may only go together with the user that it names. */
static void compare_no_auth_user(struct comparison *c)
{
    const char *before = c->before->auth.no_auth_user;
    const char *now = c->now->auth.no_auth_user;
    bool went_with_user = !now[0] && !has_user(&c->now->auth, before);

    if (strcmp(before, now) != 0 && !went_with_user) {
        refuse(c, "NoAuthUser", "old=%s, new=%s", before, now);
    }
}

/* ---- users with nkeys */

static const struct user_options *find_nkey(const struct user_list *l, const char *nkey)
{
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->at[i].nkey, nkey) == 0) {
            return &l->at[i];
        }
    }
    return NULL;
}

static size_t count_nkeys(const struct user_list *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        n += l->at[i].nkey[0] ? 1 : 0;
    }
    return n;
}

static bool may_same(const struct perms *a, const struct perms *b)
{
    return a && b ? perms_equal(a, b) : a == b;
}

/* What counts is what takes effect, in any order. */
static bool are_nkeys_same(const struct auth_options *before, const struct auth_options *now)
{
    for (size_t i = 0; i < before->users.n; i++) {
        const struct user_options *a = &before->users.at[i];
        const struct user_options *b = a->nkey[0] ? find_nkey(&now->users, a->nkey) : a;

        if (!b || a->connection_types != b->connection_types ||
            a->proxy_required != b->proxy_required ||
            (a->nkey[0] && !may_same(a->perms ? a->perms : before->default_perms,
                                     b->perms ? b->perms : now->default_perms))) {
            return false;
        }
    }
    return count_nkeys(&before->users) == count_nkeys(&now->users);
}

static bool have_accounts_nkeys(const struct account_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        if (count_nkeys(&l->at[i].users)) {
            return true;
        }
    }
    return false;
}

/* Those of accounts are always told of, as the reference does. */
static void compare_nkeys(struct comparison *c)
{
    const struct auth_options *before = &c->before->auth;
    const struct auth_options *now = &c->now->auth;

    if (have_accounts_nkeys(&before->accounts) || have_accounts_nkeys(&now->accounts) ||
        !are_nkeys_same(before, now)) {
        buf_add(&c->out->changes, STR("Reloaded: authorization nkey users\n"));
    }
}

/* ---- trusted proxies */

static bool has_key(const struct option_list *l, const char *key)
{
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->at[i], key) == 0) {
            return true;
        }
    }
    return false;
}

/* Tells which of `these` are not among `others`. */
static void tell_keys(struct comparison *c, const struct option_list *these,
                      const struct option_list *others, const char *what)
{
    struct buf keys = {0};

    for (size_t i = 0; i < these->n; i++) {
        if (!has_key(others, these->at[i])) {
            buf_add(&keys, keys.n ? STR(" ") : STR(""));
            quote_go(&keys, str_of(these->at[i]));
        }
    }
    if (keys.n) {
        buf_printf(&c->out->changes, "Reloaded: proxies trusted keys [%.*s] were %s\n",
                   STR_ARG(buf_str(&keys)), what);
    }
    buf_deinit(&keys);
}

static void compare_proxies(struct comparison *c)
{
    const struct option_list *before = &c->before->auth.trusted_proxies;
    const struct option_list *now = &c->now->auth.trusted_proxies;

    tell_keys(c, before, now, "removed");
    tell_keys(c, now, before, "added");
}

/* ---- the tls block: several options to the log */

static int64_t tls_timeout_ns(const struct tls_options *o)
{
    return o->is_on ? o->timeout_ns : 2 * CLOCK_SEC_NS; // what a block without one has
}

static void tell_tls(struct comparison *c, const struct tls_options *before,
                     const struct tls_options *now)
{
    struct tls_options rest = *now; // but for what has a line of its own
    struct buf *out = &c->out->changes;
    char delay[CLOCK_DURATION_MAX];

    rest.timeout_ns = before->timeout_ns;
    rest.first = before->first;
    if (tls_timeout_ns(before) != tls_timeout_ns(now)) {
        buf_printf(out, "Reloaded: tls timeout = %g\n",
                   (double)tls_timeout_ns(now) / (double)CLOCK_SEC_NS);
    }
    if (!tls_options_type.equal(before, &rest)) {
        buf_printf(out, "Reloaded: tls = %s\n", now->is_on ? "enabled" : "disabled");
    }
    if (!tls_pins_type.equal(&before->pins, &now->pins)) {
        buf_printf(out, "Reloaded: %zu pinned_certs\n", now->pins.n);
    }
    if (before->first.is_on != now->first.is_on) {
        buf_printf(out, "Reloaded: Client TLS handshake first: %s\n",
                   now->first.is_on ? "true" : "false");
    }
    if (before->first.fallback_ns != now->first.fallback_ns) {
        clock_format_duration(now->first.fallback_ns, delay);
        buf_printf(out, "Reloaded: Client TLS handshake first fallback delay: %s\n", delay);
    }
}

static void compare_tls(struct comparison *c)
{
    const struct tls_options *before = &c->before->client.tls;
    const struct tls_options *now = &c->now->client.tls;

    if (before->verify_and_map != now->verify_and_map) {
        refuse(c, "TLSMap", "old=%s, new=%s", before->verify_and_map ? "true" : "false",
               now->verify_and_map ? "true" : "false");
    }
    if (before->connection_rate_limit != now->connection_rate_limit) {
        refuse(c, "TLSRateLimit", "old=%lld, new=%lld", (long long)before->connection_rate_limit,
               (long long)now->connection_rate_limit);
    }
    tell_tls(c, before, now);
}

/* ---- all others */

/** How an option is spoken of, where not by its name. */
static const struct wording {
    const char *option;
    const char *field;                     // in refusals; NULL: its name in capitals
    const char *change;                    // NULL: name and value; "": part of what is always said
    void (*compare)(struct comparison *c); // does all of it
} wordings[] = {
    {"port", .compare = compare_port},
    {"client_advertise", .compare = compare_advertised},
    {"max_connections", .compare = compare_max_connections},
    {"no_fast_producer_stall", .compare = compare_stall},
    {"authorization.timeout", .compare = compare_auth_timeout},
    {"no_auth_user", .compare = compare_no_auth_user},
    {"proxies.trusted", .compare = compare_proxies},
    {"tls", .compare = compare_tls},
    {"max_subscriptions", .field = "MaxSubs"},
    {"log_max_num", .field = "LogMaxFiles"},
    {"disable_sublist_cache", .field = "NoSublistCache"},
    {"allow_non_tls", .field = "AllowNonTLS"},
    {"authorization.proxy_required", .field = "ProxyRequired"},
    {"http", .compare = compare_monitor_host},
    {"https", .compare = compare_monitor_host},
    {"http_port", .field = "HTTPPort"},
    {"https_port", .field = "HTTPSPort"},
    {"http_base_path", .field = "HTTPBasePath"},
    {"authorization.user", .change = "authorization username"},
    {"authorization.password", .change = "authorization password"},
    {"authorization.token", .change = "authorization token"},
    {"authorization.users", .compare = compare_nkeys},
    {"authorization.default_permissions", .change = ""},
    {"accounts", .change = ""},
    {"server_tags", .change = "tags"},
    {"server_metadata", .change = "metadata"},
};

static const struct wording *find_wording(struct str name)
{
    static const struct wording usual = {0};

    for (size_t i = 0; i < ARRAY_SIZE(wordings); i++) {
        if (str_equal(str_of(wordings[i].option), name)) {
            return &wordings[i];
        }
    }
    return &usual;
}

/* "lame_duck_duration" → "LameDuckDuration" */
static void add_field_name(struct buf *out, struct str name)
{
    bool is_start = true;

    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (c != '_' && c != '.') {
            buf_add_char(out, (char)(is_start && c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
        }
        is_start = c == '_' || c == '.';
    }
    buf_add_char(out, '\0');
}

/* As option_print, but text stands as it is. */
static void add_value(struct buf *out, const struct option *row, const void *base)
{
    const struct option_slot slot = {.row = row, .base = (void *)(uintptr_t)base};
    const void *at = (const char *)base + row->offset;

    if (row->kind == OPTION_KIND_STR) {
        buf_add(out, str_of(*(const char *const *)at));
    } else {
        option_print(&slot, out);
    }
}

static void refuse_row(struct comparison *c, const struct option_slot *slot, struct str name,
                       const char *field)
{
    struct buf made = {0};
    struct buf before = {0};
    struct buf now = {0};

    if (!field) {
        add_field_name(&made, name);
    }
    add_value(&before, slot->row, c->base);
    add_value(&now, slot->row, slot->base);
    refuse(c, field ? field : made.p, "old=%.*s, new=%.*s", STR_ARG(buf_str(&before)),
           STR_ARG(buf_str(&now)));
    buf_deinit(&made);
    buf_deinit(&before);
    buf_deinit(&now);
}

static void tell_row(struct comparison *c, const struct option_slot *slot, struct str name)
{
    struct buf *out = &c->out->changes;

    buf_printf(out, "Reloaded: %.*s = ", STR_ARG(name));
    add_value(out, slot->row, slot->base);
    buf_add_char(out, '\n');
}

static void compare_row(void *arg, const struct option_slot *slot, struct str name)
{
    struct comparison *c = arg;
    const struct wording *w = find_wording(name);

    if (w->compare) {
        w->compare(c);
    } else if (option_equal(slot->row, c->base, slot->base)) {
        return;
    } else if (slot->row->reload == RELOAD_RESTART) {
        refuse_row(c, slot, name, w->field);
    } else if (!w->change) {
        tell_row(c, slot, name);
    } else if (w->change[0]) {
        buf_printf(&c->out->changes, "Reloaded: %s\n", w->change);
    }
}

void reload_compare(struct server_config *before, struct server_config *now, int port,
                    struct reload_diff *out)
{
    struct option_table tables_before[SERVER_CONFIG_N_TABLES + 1];
    struct option_table tables[SERVER_CONFIG_N_TABLES + 1];
    struct comparison c = {.before = before, .now = now, .port = port, .out = out};

    server_config_tables(before, tables_before);
    server_config_tables(now, tables);
    for (size_t i = 0; tables[i].rows; i++) {
        const struct option_table one[] = {tables[i], OPTION_TABLES_END};

        c.base = tables_before[i].base;
        option_for_each(one, compare_row, &c);
    }
}
