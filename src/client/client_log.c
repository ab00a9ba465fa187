/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines about a client: "ip:port - cid:N - ", after CONNECT what it says about itself and who
 * it logged in as, then the text (spec 02 §2). Made anew for each line: most clients never get one.
 */
#include <stdarg.h>

#include "auth/login.h"
#include "base/quote.h"
#include "broker/account.h"
#include "client/client.h"

/* Appends "text" quoted, and " - ". */
static void add_quoted(struct buf *out, struct str text)
{
    quote_go(out, text);
    buf_add(out, STR(" - "));
}

/* "v<version>:<lang>:<name>"; what is missing is left out with its colon. */
static void add_description(struct buf *out, const struct client_info *i)
{
    struct buf text = {0};

    if (i->version.n) {
        buf_add_char(&text, 'v');
        buf_add(&text, i->version);
    }
    const struct str parts[] = {i->lang, i->name};
    for (size_t k = 0; k < ARRAY_SIZE(parts); k++) {
        if (parts[k].n) {
            buf_add(&text, text.n ? STR(":") : STR(""));
            buf_add(&text, parts[k]);
        }
    }
    if (text.n) {
        add_quoted(out, buf_str(&text));
    }
    buf_deinit(&text);
}

/* "<account>/user:<name>", "<account>/nkey:<key>" or "<account>/token": whom it logged in as, or
 * what it said without being asked; nothing if that is nothing. */
static void add_login(struct buf *out, const struct client *c)
{
    static const struct client_info nothing;
    const struct client_info *i = c->info ? c->info : &nothing;
    bool is_user = c->user && c->user->id.n;
    struct str nkey = !is_user ? i->nkey : c->user->is_nkey ? c->user->id : (struct str){0};
    struct str name = is_user ? c->user->id : i->user;
    struct buf text = {0};

    buf_printf(&text, "%s/", c->account->name);
    size_t n = text.n;
    if (nkey.n) {
        buf_add(&text, STR("nkey:"));
        buf_add(&text, nkey);
    } else if (name.n) {
        buf_add(&text, STR("user:"));
        buf_add(&text, name);
    } else if (i->token.n) {
        buf_add(&text, STR("token"));
    }
    if (text.n > n) {
        add_quoted(out, buf_str(&text));
    }
    buf_deinit(&text);
}

static void add_label(struct buf *out, const struct client *c)
{
    char ip[ADDR_TEXT_MAX];

    addr_format_ip(&c->conn.addr, ip);
    if (c->conn.addr.family == AF_UNSPEC) {
        buf_add(out, STR("unix"));
    } else {
        buf_printf(out, c->conn.addr.family == AF_INET6 ? "[%s]:%u" : "%s:%u", ip,
                   c->conn.addr.port);
    }
    buf_printf(out, " - cid:%llu - ", (unsigned long long)c->cid);
    if (!c->got_connect || c->is_auth_pending) {
        return; // what it says of itself counts once it is let in
    }
    if (c->info) {
        add_description(out, c->info);
    }
    add_login(out, c);
}

void client_label(const struct conn *conn, char out[CONN_LABEL_MAX])
{
    struct buf text = {0};

    add_label(&text, CONTAINER_OF((struct conn *)(uintptr_t)conn, struct client, conn));
    snprintf(out, CONN_LABEL_MAX, "%.*s", STR_ARG(buf_str(&text)));
    buf_deinit(&text);
}

void client_log(const struct client *c, enum log_level level, const char *format, ...)
{
    struct buf line = {0};
    va_list ap;

    if (!log_enabled(level)) {
        return;
    }
    add_label(&line, c);
    va_start(ap, format);
    buf_vprintf(&line, format, ap);
    va_end(ap);
    log_line(level, "%.*s", STR_ARG(buf_str(&line)));
    buf_deinit(&line);
}
