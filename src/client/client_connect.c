/* SPDX-License-Identifier: Apache-2.0 */
/* CONNECT (spec 01 §7): read the JSON into what is known of the client, then check it in the order
 * of the reference. And INFO, if a client sends that. */
#include <stddef.h>

#include "auth/login.h"
#include "base/clock.h"
#include "base/json_field.h"
#include "base/mem.h"
#include "base/quote.h"
#include "client/client.h"
#include "client/client_options.h"

/** Everything that CONNECT can say, as read. */
struct connect_fields {
    bool verbose, pedantic, echo, headers, no_responders;
    int64_t protocol;
    struct client_info info;
    struct str account; // obsolete, like new_account
    bool new_account;
    bool is_ignored; // what must be of some type, but has no meaning here
    struct str ignored;
};

/** A row for a value that must be of some type, but goes nowhere. */
#define CHECKED(name_, read_) {.name = (name_), .kind = JSON_FIELD_OTHER, .read = (read_)}

static bool check_strings(struct json_reader *r, void *at)
{
    (void)at;
    while (json_read_element(r)) {
        if (!json_read_str(r, NULL)) {
            return false;
        }
    }
    return r->token != JSON_BAD;
}

/* Permissions that leaf nodes announce; clients may, too, and are not heard. */
static bool check_permissions(struct json_reader *r, void *at)
{
    static const struct json_field lists[] = {
        CHECKED("allow", check_strings),
        CHECKED("deny", check_strings),
    };

    return json_field_read_all(r, lists, ARRAY_SIZE(lists), at);
}

#define FIELD(name_, field) JSON_FIELD(name_, struct connect_fields, field)

static const struct json_field fields[] = {
    FIELD("verbose", verbose),
    FIELD("pedantic", pedantic),
    FIELD("tls_required", is_ignored),
    FIELD("auth_token", info.token),
    FIELD("user", info.user),
    FIELD("pass", info.pass),
    FIELD("name", info.name),
    FIELD("lang", info.lang),
    FIELD("version", info.version),
    FIELD("protocol", protocol),
    FIELD("echo", echo),
    FIELD("headers", headers),
    FIELD("no_responders", no_responders),
    FIELD("account", account),
    FIELD("new_account", new_account),
    FIELD("jwt", info.jwt),
    FIELD("nkey", info.nkey),
    FIELD("sig", info.sig),
    FIELD("proxy_sig", info.proxy_sig),
    FIELD("remote_account", ignored),
    CHECKED("import", check_permissions),
    CHECKED("export", check_permissions),
};

void client_info_free(struct client_info *i)
{
    if (i) {
        struct str *all[] = {&i->name,  &i->lang, &i->version, &i->user, &i->pass,
                             &i->token, &i->jwt,  &i->nkey,    &i->sig,  &i->proxy_sig};

        for (size_t k = 0; k < ARRAY_SIZE(all); k++) {
            json_field_free(all[k]);
        }
        mem_free(i);
    }
}

void client_refuse_login(struct client *c, const struct login_verdict *refusal)
{
    static const struct client_info nothing;
    const struct client_info *i = c->info ? c->info : &nothing;
    struct str user = refusal->user && refusal->user->id.n ? refusal->user->id : i->user;
    struct buf who = {0};

    for (size_t k = 0; k < ARRAY_SIZE(refusal->notes); k++) {
        if (refusal->notes[k]) {
            client_log(c, LOG_DBG, "%s", refusal->notes[k]);
        }
    }
    if (i->nkey.n) {
        buf_add(&who, STR(" - Nkey "));
        quote_go(&who, i->nkey);
    } else if (user.n) {
        buf_add(&who, STR(" - User "));
        quote_go(&who, user);
    } else if (i->token.n) {
        buf_add(&who, STR(" - Token \"[REDACTED]\""));
    }
    client_log(c, LOG_ERR, "authentication error%.*s", STR_ARG(buf_str(&who)));
    client_tell_refusal(c, CONN_REFUSED, refusal->reason);
    buf_deinit(&who);
    client_send_error(c, "Authorization Violation");
    conn_close(&c->conn, refusal->reason);
}

/*
 * What the client asks for, merged over what it asked for before. False: it is closed.
 */
static bool merge(struct client *c, struct str text)
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
    struct buf why = {0};
    bool is_ok = json_field_read_text(text, fields, ARRAY_SIZE(fields), &f, &why);

    *info = f.info; // in any case: strings of the old one may be gone
    c->info = info;
    c->wants_account = f.account.n || f.new_account;
    json_field_free(&f.account);
    json_field_free(&f.ignored);
    if (!is_ok) {
        client_log(c, LOG_ERR, "CONNECT: %.*s", STR_ARG(buf_str(&why)));
        buf_deinit(&why);
        conn_close(&c->conn, CLOSE_PROTOCOL_VIOLATION);
        return false;
    }
    c->verbose = f.verbose;
    c->pedantic = f.pedantic;
    c->echo = f.echo;
    c->no_responders = f.no_responders;
    c->protocol = f.protocol == 0 || f.protocol == 1 ? (int32_t)f.protocol : -1;
    c->wants_headers = f.headers;
    c->headers = f.headers && !c->home->options->no_header_support;
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

void client_connect(struct client *c, struct op *op)
{
    worker_clear_timer(c->conn.shard->worker, &c->timer);
    c->last_active_ns = c->conn.shard->worker->now_ns;
    if (c->rtt_ns == 0) {
        c->rtt_ns = clock_now_ns() - c->start_ns;
    }
    if (!merge(c, op->arg)) {
        return;
    }
    if (c->got_connect) {
        client_remove_all_subs(c);
    }
    client_login(c);
}

void client_on_login(struct client *c, const struct login_verdict *verdict)
{
    c->got_connect = true;
    client_tell(c, CONN_LEFT);
    client_leave(c);
    client_set_account(c, c->home->shared->global);
    if (!verdict->is_ok) {
        client_refuse_login(c, verdict);
        return;
    }
    if (!client_enter(c, verdict->user)) {
        return;
    }
    c->proxy = verdict->proxy;
    c->is_auth_pending = false;
    c->parser.connect_only = false;
    forget_empty_info(c);
    client_tell(c, CONN_ENTERED);
    if (c->protocol < 0) {
        client_refuse(c, CLOSE_BAD_CLIENT_PROTOCOL_VERSION, "invalid client protocol");
        return;
    }
    if (c->no_responders && !c->headers) {
        client_refuse(c, CLOSE_NO_RESPONDERS_REQUIRES_HEADERS,
                      "no responders requires headers support");
        return;
    }
    client_arm_timer(c);
    client_update_subs(c);
    client_send_ok(c);
}

/* ---- INFO ---- */

/** Where INFO's values go, one over the other. */
struct ignored {
    bool flag;
    int64_t number;
    uint64_t count;
    struct str text;
};

#define FLAG(name) JSON_FIELD(name, struct ignored, flag)
#define NUMBER(name) JSON_FIELD(name, struct ignored, number)
#define COUNT(name) JSON_FIELD(name, struct ignored, count)
#define TEXT(name) JSON_FIELD(name, struct ignored, text)

static const struct json_field info_fields[] = {
    FLAG("acc_is_sys"),
    NUMBER("api_lvl"),
    FLAG("auth_required"),
    COUNT("client_id"),
    TEXT("client_ip"),
    TEXT("cluster"),
    FLAG("cluster_dynamic"),
    TEXT("compression"),
    FLAG("connect_info"),
    CHECKED("connect_urls", check_strings),
    TEXT("domain"),
    CHECKED("export", check_permissions),
    TEXT("gateway"),
    COUNT("gateway_cmd"),
    FLAG("gateway_iom"),
    FLAG("gateway_nrp"),
    TEXT("gateway_url"),
    CHECKED("gateway_urls", check_strings),
    TEXT("git_commit"),
    TEXT("go"),
    COUNT("gossip_mode"),
    FLAG("headers"),
    TEXT("host"),
    CHECKED("import", check_permissions),
    FLAG("info_on_connect"),
    TEXT("ip"),
    FLAG("jetstream"),
    FLAG("ldm"),
    CHECKED("leafnode_urls", check_strings),
    FLAG("lnoc"),
    FLAG("lnocu"),
    NUMBER("max_payload"),
    TEXT("nonce"),
    NUMBER("port"),
    NUMBER("proto"),
    TEXT("remote_account"),
    TEXT("route_account"),
    NUMBER("route_pool_idx"),
    NUMBER("route_pool_size"),
    TEXT("server_id"),
    TEXT("server_name"),
    FLAG("tls_available"),
    FLAG("tls_required"),
    FLAG("tls_verify"),
    TEXT("version"),
    CHECKED("ws_connect_urls", check_strings),
    TEXT("xkey"),
};

/* Only servers have reason to send INFO. It has no effect, but it must be what a server could
 * send. */
void client_peer_info(struct client *c, struct op *op)
{
    struct ignored ignored = {0};
    struct buf why = {0};

    if (!json_field_read_text(op->arg, info_fields, ARRAY_SIZE(info_fields), &ignored, &why)) {
        client_log(c, LOG_ERR, "INFO: %.*s", STR_ARG(buf_str(&why)));
        conn_close(&c->conn, CLOSE_PROTOCOL_VIOLATION);
    }
    json_field_free(&ignored.text);
    buf_deinit(&why);
}
