/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of authorization and accounts, and what they must agree on. */
#include "auth/auth_options.h"

#include <stdlib.h>

#include "auth/account_options.h"
#include "auth/callout_options.h"
#include "auth/nkey.h"
#include "auth/perms_option.h"
#include "auth/secret.h"
#include "auth/user_options.h"
#include "base/clock.h"
#include "base/mem.h"
#include "conf/value.h"

#define LONG_TIMEOUT (60 * CLOCK_SEC_NS)

/* ---- users are unique: all lists together */

static bool is_set(const char *text)
{
    return text && text[0];
}

static const char *id_of(const struct user_options *u)
{
    return is_set(u->nkey) ? u->nkey : u->name ? u->name : "";
}

static int compare_ids(const void *a, const void *b)
{
    const struct user_options *const *ua = a;
    const struct user_options *const *ub = b;

    return strcmp(id_of(*ua), id_of(*ub));
}

static void list_users(const struct user_list *l, const struct user_options **all, size_t *n)
{
    for (size_t i = 0; i < l->n; i++) {
        all[(*n)++] = &l->at[i];
    }
}

/* @return  a user who has the name or nkey of another one; NULL: there is none */
static const struct user_options *find_duplicate(const struct auth_options *o)
{
    const struct user_options *found = NULL;
    size_t n = o->users.n;

    for (size_t i = 0; i < o->accounts.n; i++) {
        n += o->accounts.at[i].users.n;
    }
    const struct user_options **all = mem_alloc(n * sizeof(*all));
    n = 0;
    list_users(&o->users, all, &n);
    for (size_t i = 0; i < o->accounts.n; i++) {
        list_users(&o->accounts.at[i].users, all, &n);
    }
    qsort(all, n, sizeof(*all), compare_ids);
    for (size_t i = 1; i < n && !found; i++) {
        if (compare_ids(&all[i - 1], &all[i]) == 0 && id_of(all[i])[0]) {
            found = all[i];
        }
    }
    mem_free(all);
    return found;
}

static enum status check_unique(const struct auth_options *o, const struct diag_place *at,
                                struct option_reader *r)
{
    const struct user_options *u = find_duplicate(o);

    if (!u) {
        return ST_OK;
    }
    diag_error(r->d, at, "Duplicate %s \"%s\" detected", is_set(u->nkey) ? "nkey" : "user",
               id_of(u));
    return ST_FAILED;
}

static bool have_users(const struct auth_options *o)
{
    for (size_t i = 0; i < o->accounts.n; i++) {
        if (o->accounts.at[i].users.n) {
            return true;
        }
    }
    return o->users.is_set;
}

/* One user or token, or lists of users. `at` is where the last part of the conflict was read. */
static enum status check_kinds(const struct auth_options *o, const struct diag_place *at,
                               struct option_reader *r)
{
    const char *text = NULL;

    if (is_set(o->token) && (is_set(o->user) || is_set(o->password))) {
        text = "Cannot have a user/pass and token";
    } else if (is_set(o->user) && have_users(o)) {
        text = "Can not have a single user/pass and a users array";
    } else if (is_set(o->token) && have_users(o)) {
        text = "Can not have a token and a users array";
    }
    if (text) {
        diag_error(r->d, at, "%s", text);
    }
    return text ? ST_FAILED : ST_OK;
}

/* ---- authorization */

static enum status parse_timeout(const struct node *value, int64_t *out, struct option_reader *r)
{
    struct buf why = {0};
    enum status st = ST_OK;

    if (value->kind == NODE_INT) {
        *out = value->number > INT64_MAX / CLOCK_SEC_NS ? INT64_MAX : value->number * CLOCK_SEC_NS;
    } else if (value->kind == NODE_FLOAT) {
        *out = (int64_t)(value->real * (double)CLOCK_SEC_NS);
    } else if (value->kind != NODE_STR) {
        diag_error(r->d, &value->at, "error parsing authorization config, 'timeout' wrong type");
        st = ST_FAILED;
    } else if (value_parse_duration(value->text, out, &why) != ST_OK) {
        diag_error(r->d, &value->at, "error parsing authorization config, 'timeout' time: %.*s",
                   STR_ARG(buf_str(&why)));
        st = ST_FAILED;
    }
    buf_deinit(&why);
    return st;
}

static enum status set_timeout(void *base, const struct node *value, struct option_reader *r)
{
    struct auth_options *o = base;

    if (parse_timeout(value, &o->timeout_ns, r) != ST_OK) {
        return ST_FAILED;
    }
    if (o->timeout_ns > LONG_TIMEOUT) {
        struct buf text = {0};

        node_print(value, &text);
        diag_warning(r->d, &value->at,
                     "invalid use of field \"timeout\": timeout of %.*s (%f seconds) is high, "
                     "consider keeping it under 60 seconds. possibly caused by unquoted duration; "
                     "use '1m' instead of 1m, for example",
                     STR_ARG(buf_str(&text)), (double)o->timeout_ns / (double)CLOCK_SEC_NS);
        buf_deinit(&text);
    }
    return ST_OK;
}

static const struct option authorization_rows[] = {
    OPTION_STR("user", struct auth_options, user, .aliases = "username", .cli = "--user",
               .reload = RELOAD_HOOK, .doc = "Name that clients log in with."),
    OPTION_SECRET("password", struct auth_options, password, .aliases = "pass", .cli = "--pass",
                  .reload = RELOAD_HOOK, .doc = "Password that goes with user."),
    OPTION_SECRET("token", struct auth_options, token, .cli = "--auth", .reload = RELOAD_HOOK,
                  .doc = "Token that clients log in with, instead of user."),
    OPTION_CUSTOM("timeout", set_timeout, .reload = RELOAD_NEW_CONNS,
                  .doc = "Time that a client has to log in; 2s, or that of TLS and 1s."),
    OPTION_OTHER("users", struct auth_options, users, &user_list_type, .reload = RELOAD_HOOK,
                 .doc = "Users, instead of the one that user and password name."),
    OPTION_OTHER("default_permissions", struct auth_options, default_perms, &perms_option_type,
                 .aliases = "default_permission permissions", .reload = RELOAD_HOOK,
                 .doc = "Permissions of users without their own."),
    OPTION_BOOL("proxy_required", struct auth_options, proxy_required,
                .doc = "The user or token may come only by way of a trusted proxy."),
    OPTION_BLOCK("auth_callout", callout_options_rows, .aliases = "auth_hook", .has_no_field = true,
                 .check = callout_options_check_block,
                 .wrong = "Expected authorization callout to be a map/struct, got %v",
                 .unknown = "Unknown field \"%.*s\" parsing authorization callout",
                 .doc = "Not supported yet."),
    OPTION_END};

static enum status check_authorization(void *base, const struct node *value,
                                       struct option_reader *r)
{
    struct auth_options *o = base;

    o->has_block = true;
    enum status st = check_kinds(o, &value->at, r);
    return check_unique(o, &value->at, r) == ST_OK ? st : ST_FAILED;
}

static enum status check_accounts(void *base, const struct node *value, struct option_reader *r)
{
    const struct auth_options *o = base;
    const struct diag_place *at = &value->at;
    const struct node *users = NULL;

    for (const struct node *n = value->kind == NODE_MAP ? value->first : NULL; n; n = n->next) {
        users = n->kind == NODE_MAP ? node_find(n, STR("users")) : NULL;
        at = users ? &users->at : at;
    }
    enum status st = check_kinds(o, &value->at, r);
    return check_unique(o, at, r) == ST_OK ? st : ST_FAILED;
}

/* ---- proxies */

static enum status add_proxy(struct option_list *l, const struct node *entry,
                             struct option_reader *r)
{
    enum status st = ST_OK;

    for (const struct node *n = entry->first; n; n = n->next) {
        enum nkey_kind kind;
        uint8_t key[NKEY_KEY_BYTES];

        if (!str_equal_nocase(n->key, STR("key")) && !str_equal_nocase(n->key, STR("public_key"))) {
            diag_error(r->d, &n->at, "unknown field \"%.*s\"", STR_ARG(n->key));
            st = ST_FAILED;
        } else if (n->kind != NODE_STR) {
            st = option_wrong_type(r, n, "string");
        } else if (nkey_decode(n->text, &kind, key) != ST_OK) {
            diag_error(r->d, &n->at, "invalid proxy key \"%.*s\"", STR_ARG(n->text));
            st = ST_FAILED;
        } else {
            option_list_add(l, n->text);
        }
    }
    return st;
}

static enum status read_trusted(void *field, const struct node *value, struct option_reader *r)
{
    struct option_list *l = field;
    enum status st = ST_OK;

    if (value->kind != NODE_ARRAY) {
        diag_error(r->d, &value->at, "expected proxies' trusted field to be an array, got %s",
                   node_kind_name(value->kind));
        return ST_FAILED;
    }
    option_list_clear(l);
    for (const struct node *n = value->first; n; n = n->next) {
        if (n->kind != NODE_MAP) {
            diag_error(r->d, &n->at, "expected proxies' trusted entry to be a map/struct, got %s",
                       node_kind_name(n->kind));
            st = ST_FAILED;
        } else if (add_proxy(l, n, r) != ST_OK) {
            st = ST_FAILED;
        }
    }
    return st;
}

static void release_trusted(void *field)
{
    option_list_clear(field);
}

static bool are_trusted_equal(const void *a, const void *b)
{
    return option_list_equal(a, b);
}

static const struct option_type trusted_type = {
    .read = read_trusted,
    .release = release_trusted,
    .equal = are_trusted_equal,
};

static const struct option proxies_rows[] = {
    OPTION_OTHER("trusted", struct auth_options, trusted_proxies, &trusted_type,
                 .reload = RELOAD_HOOK,
                 .doc = "Proxies that vouch for clients: { key: public nkey } each."),
    OPTION_END};

/* ---- all together */

static const struct option auth_rows[] = {
    OPTION_BLOCK("authorization", authorization_rows, .check = check_authorization,
                 .doc = "How clients log in."),
    OPTION_OTHER("accounts", struct auth_options, accounts, &account_list_type,
                 .check = check_accounts, .reload = RELOAD_HOOK,
                 .doc = "Accounts, by name: each is a subject space of its own."),
    OPTION_STR("no_auth_user", struct auth_options, no_auth_user,
               .doc = "User that clients without credentials become."),
    OPTION_STR("system_account", struct auth_options, system_account, .aliases = "system",
               .doc = "Account that the server itself speaks in."),
    OPTION_BOOL("no_system_account", struct auth_options, no_system_account,
                .aliases = "no_system no_sys_acc", .doc = "Do not make a system account."),
    OPTION_OTHER("mappings", struct auth_options, mappings, &mapping_list_type, .aliases = "maps",
                 .reload = RELOAD_HOOK,
                 .doc = "Other subjects for what is published to a subject, in the account of "
                        "clients that have no other."),
    OPTION_BLOCK("proxies", proxies_rows, .doc = "Proxies between clients and the server."),
    OPTION_END};

struct option_table auth_options_table(struct auth_options *o)
{
    return (struct option_table){.rows = auth_rows, .base = o};
}

static bool has_user(const struct user_list *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(id_of(&l->at[i]), name) == 0) {
            return true;
        }
    }
    return false;
}

static enum status check_no_auth_user(const struct auth_options *o, struct diag *d)
{
    bool is_known = has_user(&o->users, o->no_auth_user);

    if (!o->no_auth_user[0]) {
        return ST_OK;
    }
    if (!have_users(o)) {
        diag_error(d, NULL, "no_auth_user: \"%s\" present, but users/nkeys are not defined",
                   o->no_auth_user);
        return ST_FAILED;
    }
    for (size_t i = 0; i < o->accounts.n && !is_known; i++) {
        is_known = has_user(&o->accounts.at[i].users, o->no_auth_user);
    }
    if (!is_known) {
        diag_error(d, NULL,
                   "no_auth_user: \"%s\" not present as user or nkey in authorization block or "
                   "account configuration",
                   o->no_auth_user);
    }
    return is_known ? ST_OK : ST_FAILED;
}

/* What is not there is not pretended. */
static enum status check_later(const struct auth_options *o, struct diag *d)
{
    enum status st = ST_OK;

    if (o->later) {
        diag_error(d, NULL, "%s is not supported yet", o->later);
        st = ST_FAILED;
    }
    for (size_t i = 0; i < o->accounts.n; i++) {
        const struct account_options *a = &o->accounts.at[i];

        if (a->later) {
            diag_error(d, NULL, "account \"%s\": %s is not supported yet", a->name, a->later);
            st = ST_FAILED;
        }
    }
    return st;
}

enum status auth_options_check(const struct auth_options *o, struct diag *d)
{
    enum status st = check_no_auth_user(o, d);

    if (check_later(o, d) != ST_OK) {
        st = ST_FAILED;
    }
    bool is_known = !o->system_account[0] || strcmp(o->system_account, "$SYS") == 0 ||
                    account_list_find(&o->accounts, str_of(o->system_account));

    if (!is_known) {
        diag_error(d, NULL, "error resolving system account: account missing");
        return ST_FAILED;
    }
    return st;
}

/* Whether the user needs no password, as a certificate lets it in. */
static bool is_certified(const struct user_options *u)
{
    return !is_set(u->password) &&
           (u->connection_types == 0 || (u->connection_types & CONNECTION_STANDARD));
}

static bool has_plain_password(const struct user_list *l, bool is_mapping)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct user_options *u = &l->at[i];

        if (!is_set(u->nkey) && !secret_is_bcrypt(u->password) &&
            !(is_mapping && is_certified(u))) {
            return true;
        }
    }
    return false;
}

bool auth_options_have_plain_password(const struct auth_options *o, bool is_mapping)
{
    bool has = has_plain_password(&o->users, is_mapping) ||
               (is_set(o->password) && !secret_is_bcrypt(o->password));

    for (size_t i = 0; i < o->accounts.n && !has; i++) {
        has = has_plain_password(&o->accounts.at[i].users, is_mapping);
    }
    return has;
}
