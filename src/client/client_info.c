/* SPDX-License-Identifier: Apache-2.0 */
/* The INFO line (spec 01 §5, §6). The order of the fields is that of the reference. */
#include "auth/login.h"
#include "base/buf.h"
#include "base/json.h"
#include "broker/account.h"
#include "client/client.h"
#include "client/client_options.h"
#include "client/client_tls.h"

/** JetStream API level that the compatible version speaks. */
#define API_LEVEL 5

#define INFO_BYTES 768 // that a line takes, or so

static void send_info(struct client *c, bool is_connect_info, bool is_lame_duck)
{
    const struct server_identity *id = c->home->identity;
    const struct client_options *o = c->home->options;
    char ip[ADDR_TEXT_MAX];
    struct buf line = {0};
    struct json j = json_to(&line);

    buf_reserve(&line, INFO_BYTES);
    addr_format_ip(&c->conn.addr, ip);
    buf_add(&line, STR("INFO "));
    json_open_object(&j);
    json_add_str(&j, "server_id", str_of(id->id));
    json_add_str(&j, "server_name", str_of(id->name));
    json_add_str(&j, "version", str_of(id->version));
    json_add_int(&j, "proto", 1);
    json_add_str(&j, "go", STR(CLIENT_TOOLCHAIN));
    json_add_str(&j, "host", str_of(id->host));
    json_add_uint(&j, "port", id->port);
    json_add_bool(&j, "headers", !o->no_header_support);
    json_opt_bool(&j, "auth_required",
                  is_connect_info ? login_is_required(c->home->rules)
                                  : login_is_announced(c->home->rules));
    if (c->home->tls) {
        json_opt_bool(&j, "tls_required", client_tls_is_required(o) || c->is_tls_first);
        json_opt_bool(&j, "tls_verify", tls_options_verify(&o->tls));
        json_opt_bool(&j, "tls_available", o->allow_non_tls);
    }
    json_add_int(&j, "max_payload", c->parser.max_payload_bytes);
    json_add_uint(&j, "client_id", c->cid);
    bool has_ip = c->conn.addr.family != AF_UNSPEC;
    if (has_ip && c->step != CLIENT_STEP_PROXY_HEADER) { // else it is not known yet
        json_add_str(&j, "client_ip", str_of(ip));
    }
    json_opt_str(&j, "nonce", (struct str){.p = c->nonce, .n = c->nonce ? LOGIN_NONCE_BYTES : 0});
    json_opt_bool(&j, "ldm", is_lame_duck);
    if (is_connect_info) {
        json_add_bool(&j, "connect_info", true);
        json_add_str(&j, "remote_account", str_of(c->account->name));
    }
    json_add_int(&j, "api_lvl", API_LEVEL);
    json_opt_str(&j, "xkey", str_of(id->xkey));
    json_close_object(&j);
    buf_add(&line, STR(" \r\n"));
    conn_write(&c->conn, buf_str(&line));
    buf_deinit(&line);
}

void client_send_info(struct client *c, bool is_connect_info)
{
    send_info(c, is_connect_info, atomic_load(&c->home->shared->is_lame_duck));
}

void client_send_lame_duck_info(struct client *c)
{
    send_info(c, false, true);
}
