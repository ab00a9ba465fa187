/* SPDX-License-Identifier: Apache-2.0 */
/* CONNECT (spec 01 §7): read the JSON into what is known of the client, then check it in the order
 * of the reference. Names match whatever their case; null changes nothing; unknown names are
 * ignored. */
#include <jansson.h>
#include <stddef.h>

#include "auth/login.h"
#include "base/clock.h"
#include "base/mem.h"
#include "broker/account.h"
#include "client/client.h"
#include "client/client_options.h"
#include "proto/quote.h"

enum field_kind { FIELD_BOOL, FIELD_INT, FIELD_STR, FIELD_OBJECT };

/** Everything that CONNECT can say, as read. */
struct connect_fields {
    bool verbose, pedantic, echo, headers, no_responders, tls_required;
    int protocol;
    struct client_info info;
    char *proxy_sig, *remote_account;
};

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;
};

#define FIELD(name_, kind_, member) {name_, kind_, offsetof(struct connect_fields, member)}

static const struct field fields[] = {
    FIELD("verbose", FIELD_BOOL, verbose),
    FIELD("pedantic", FIELD_BOOL, pedantic),
    FIELD("tls_required", FIELD_BOOL, tls_required),
    FIELD("auth_token", FIELD_STR, info.token),
    FIELD("user", FIELD_STR, info.user),
    FIELD("pass", FIELD_STR, info.pass),
    FIELD("name", FIELD_STR, info.name),
    FIELD("lang", FIELD_STR, info.lang),
    FIELD("version", FIELD_STR, info.version),
    FIELD("protocol", FIELD_INT, protocol),
    FIELD("echo", FIELD_BOOL, echo),
    FIELD("headers", FIELD_BOOL, headers),
    FIELD("no_responders", FIELD_BOOL, no_responders),
    FIELD("account", FIELD_STR, info.account),
    FIELD("new_account", FIELD_BOOL, info.new_account),
    FIELD("jwt", FIELD_STR, info.jwt),
    FIELD("nkey", FIELD_STR, info.nkey),
    FIELD("sig", FIELD_STR, info.sig),
    FIELD("proxy_sig", FIELD_STR, proxy_sig),
    FIELD("remote_account", FIELD_STR, remote_account),
    {"import", FIELD_OBJECT, 0},
    {"export", FIELD_OBJECT, 0},
};

void client_info_free(struct client_info *i)
{
    if (i) {
        char *all[] = {i->name,  i->lang,    i->version, i->user, i->pass,
                       i->token, i->account, i->jwt,     i->nkey, i->sig};

        for (size_t k = 0; k < ARRAY_SIZE(all); k++) {
            mem_free(all[k]);
        }
        mem_free(i);
    }
}

static bool read_str(const json_t *value, char **to)
{
    if (!json_is_string(value)) {
        return false;
    }
    mem_free(*to);
    *to = json_string_length(value)
              ? mem_strndup(json_string_value(value), json_string_length(value))
              : NULL;
    return true;
}

static bool read_field(const struct field *f, const json_t *value, struct connect_fields *to)
{
    char *at = (char *)to + f->offset;

    switch (f->kind) {
    case FIELD_BOOL:
        if (!json_is_boolean(value)) {
            return false;
        }
        *(bool *)(void *)at = json_is_true(value);
        return true;
    case FIELD_INT:
        if (!json_is_integer(value)) {
            return false;
        }
        *(int *)(void *)at = json_integer_value(value) < 0 || json_integer_value(value) > 1
                                 ? -1
                                 : (int)json_integer_value(value);
        return true;
    case FIELD_STR:
        return read_str(value, (char **)(void *)at);
    case FIELD_OBJECT:
        return json_is_object(value);
    }
    return false;
}

/* Reads all members into `to`; what is wrong is written to `why`. */
static bool read_fields(struct str text, struct connect_fields *to, char *why, size_t why_size)
{
    json_error_t error;
    const char *key;
    json_t *value;
    json_t *root = json_loadb(text.p, text.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    bool is_ok = true;

    if (!root) {
        snprintf(why, why_size, "%s", error.text);
        return false;
    }
    if (!json_is_object(root) && !json_is_null(root)) {
        snprintf(why, why_size, "CONNECT is not a JSON object");
        is_ok = false;
    }
    json_object_foreach (root, key, value) {
        for (size_t i = 0; i < ARRAY_SIZE(fields) && !json_is_null(value); i++) {
            if (str_equal_nocase(str_of(key), str_of(fields[i].name)) &&
                !read_field(&fields[i], value, to)) {
                snprintf(why, why_size, "CONNECT: \"%s\" has the wrong type", fields[i].name);
                is_ok = false;
            }
        }
    }
    json_decref(root);
    return is_ok;
}

static void refuse_login(struct client *c)
{
    struct buf who = {0};

    if (c->info && c->info->user) {
        buf_add(&who, STR(" - User "));
        quote_go(&who, str_of(c->info->user));
    } else if (c->info && c->info->token) {
        buf_add(&who, STR(" - Token \"[REDACTED]\""));
    }
    client_log(c, LOG_ERR, "authentication error%.*s", STR_ARG(buf_str(&who)));
    buf_deinit(&who);
    client_send_error(c, "Authorization Violation");
    conn_close(&c->conn, CLOSE_AUTHENTICATION_VIOLATION);
}

/* What the client asked for, merged over what it asked for before. */
static bool merge(struct client *c, struct str json)
{
    struct client_info *info = c->info ? c->info : mem_zalloc(sizeof(*info));
    struct connect_fields f = {
        .verbose = c->verbose,
        .pedantic = c->pedantic,
        .echo = c->echo,
        .headers = c->wants_headers,
        .no_responders = c->no_responders,
        .protocol = c->protocol,
        .info = *info,
    };
    char why[200];
    bool is_ok = read_fields(json, &f, why, sizeof(why));

    *info = f.info;
    c->info = info;
    mem_free(f.proxy_sig);
    mem_free(f.remote_account);
    if (!is_ok) {
        client_log(c, LOG_ERR, "%s", why);
        conn_close(&c->conn, CLOSE_PROTOCOL_VIOLATION);
        return false;
    }
    c->verbose = f.verbose;
    c->pedantic = f.pedantic;
    c->echo = f.echo;
    c->no_responders = f.no_responders;
    c->protocol = f.protocol;
    c->wants_headers = f.headers;
    c->headers = f.headers && !c->shared->options->no_header_support;
    c->parser.has_headers = c->headers;
    return true;
}

/* A client that said nothing about itself costs no memory. */
static void forget_empty_info(struct client *c)
{
    static const struct client_info empty;

    if (c->info && memcmp(c->info, &empty, sizeof(empty)) == 0) {
        client_info_free(c->info);
        c->info = NULL;
    }
}

void client_connect(struct client *c, const struct op *op)
{
    bool is_first = !c->got_connect;

    c->got_connect = true;
    if (!merge(c, op->arg)) {
        return;
    }
    if (!is_first) {
        client_remove_all_subs(c);
    }
    const struct client_info *i = c->info;
    struct login login = {str_of(i->user), str_of(i->pass), str_of(i->token)};
    if (!login_check(c->shared->login, &login) || i->account || i->new_account) {
        refuse_login(c);
        return;
    }
    c->is_auth_pending = false;
    c->parser.connect_only = false;
    forget_empty_info(c);
    if (c->protocol < 0) {
        client_refuse(c, CLOSE_BAD_CLIENT_PROTOCOL_VERSION, "invalid client protocol");
        return;
    }
    if (c->no_responders && !c->headers) {
        client_refuse(c, CLOSE_NO_RESPONDERS_REQUIRES_HEADERS,
                      "no responders requires headers support");
        return;
    }
    if (is_first) {
        c->rtt_ns = clock_now_ns() - c->start_ns;
        client_arm_timer(c);
    }
    client_update_subs(c);
    client_send_ok(c);
}

void client_peer_info(struct client *c, const struct op *op)
{
    json_error_t error;
    json_t *root = json_loadb(op->arg.p, op->arg.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

    if (!root || (!json_is_object(root) && !json_is_null(root))) {
        client_log(c, LOG_ERR, "INFO: %s", root ? "not a JSON object" : error.text);
        conn_close(&c->conn, CLOSE_PROTOCOL_VIOLATION);
    }
    json_decref(root);
}
