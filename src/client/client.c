/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a client connection, and the loop from bytes to verbs. */
#include "client/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/login.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/quote.h"
#include "broker/account.h"
#include "client/client_options.h"
#include "client/client_proxy.h"
#include "client/client_tls.h"

/* ---- simple replies ---- */

void client_send_error(struct client *c, const char *format, ...)
{
    struct buf line = {0};
    va_list ap;
    char *text;

    va_start(ap, format);
    int n = vasprintf(&text, format, ap);
    va_end(ap);
    ENSURE(n >= 0);
    buf_printf(&line, "-ERR '%s'\r\n", text);
    client_trace_out(c, "-ERR %s", text);
    conn_write(&c->conn, buf_str(&line));
    buf_deinit(&line);
    free(text);
}

void client_refuse(struct client *c, enum close_reason reason, const char *text)
{
    client_send_error(c, "%s", text);
    client_log(c, LOG_ERR, "%s", text);
    conn_close(&c->conn, reason);
}

void client_send_ok(struct client *c)
{
    if (c->verbose) {
        conn_write(&c->conn, STR("+OK\r\n"));
        client_trace_out(c, "OK");
    }
}

/* ---- from bytes to verbs ---- */

static void run_err(struct client *c, struct op *op)
{
    client_log(c, LOG_ERR, "Client Error %.*s", STR_ARG(op->arg));
    conn_close(&c->conn, CLOSE_PARSE_ERROR);
}

static void run_ok(struct client *c, struct op *op)
{
    (void)c;
    (void)op;
}

/** What runs each verb. */
static void (*const verbs[VERB_COUNT])(struct client *c, struct op *op) = {
    [VERB_CONNECT] = client_connect, [VERB_PING] = client_ping,   [VERB_PONG] = client_pong,
    [VERB_SUB] = client_sub,         [VERB_UNSUB] = client_unsub, [VERB_PUB] = client_pub,
    [VERB_HPUB] = client_pub,        [VERB_OK] = run_ok,          [VERB_ERR] = run_err,
    [VERB_INFO] = client_peer_info,
};

static void refuse_input(struct client *c, enum parse_result r, struct str in, struct op *op)
{
    struct buf quoted = {0};

    switch (r) {
    case PARSE_LINE_TOO_LONG:
        client_refuse(c, CLOSE_MAX_CONTROL_LINE_EXCEEDED, "maximum control line exceeded");
        break;
    case PARSE_TOO_BIG:
        client_refuse_payload(c, &op->msg);
        break;
    case PARSE_AUTH_REQUIRED:
        client_log(c, LOG_ERR, "authentication error");
        client_tell_refusal(c, CONN_BARRED, CLOSE_AUTHENTICATION_VIOLATION);
        client_send_error(c, "Authorization Violation");
        conn_close(&c->conn, CLOSE_AUTHENTICATION_VIOLATION);
        break;
    case PARSE_BAD_ARGS:
        in.n = in.n > 64 ? 64 : in.n;
        quote_go(&quoted, in);
        client_log(c, LOG_ERR, "Bad arguments: proto=%.*s", STR_ARG(buf_str(&quoted)));
        conn_close(&c->conn, CLOSE_PROTOCOL_VIOLATION);
        break;
    default:
        in.n = in.n > 32 ? 32 : in.n;
        quote_go(&quoted, in);
        client_send_error(c, "Unknown Protocol Operation");
        client_log(c, LOG_ERR, "Client parser ERROR, proto=%.*s...", STR_ARG(buf_str(&quoted)));
        conn_close(&c->conn, CLOSE_PROTOCOL_VIOLATION);
        break;
    }
    buf_deinit(&quoted);
}

static size_t on_bytes(struct conn *conn, struct str in)
{
    struct client *c = client_of(conn);
    struct str rest = in;

    if (UNLIKELY(c->step == CLIENT_STEP_PROXY_HEADER) && !client_proxy_take_header(c, &rest)) {
        return in.n - rest.n;
    }
    bool is_tracing = log_enabled(LOG_TRC);
    UNINITIALIZED struct op op;

    while (!conn_is_closing(conn) && !conn->is_paused) {
        enum parse_result r = parse_next(&c->parser, &rest, &op);

        if (r == PARSE_MORE) {
            conn->need = (uint32_t)c->parser.need;
            break;
        }
        if (UNLIKELY(r == PARSE_AUTH_REQUIRED) && login_anonymous(c->home->rules)) {
            client_login_as_nobody(c);
            continue;
        }
        if (UNLIKELY(r != PARSE_OP)) {
            refuse_input(c, r, rest, &op);
            break;
        }
        if (UNLIKELY(is_tracing)) {
            client_trace_in(c, &op);
        }
        verbs[op.verb](c, &op);
    }
    if (!conn->is_paused || rest.n == 0) { // what was received together is one batch, pauses or not
        c->stalled_ms = 0;
    }
    return in.n - rest.n;
}

/* ---- life ---- */

static void count_end(struct client *c, enum close_reason reason)
{
    struct conn_stats *stats = &c->home->shared->stats;

    if (c->conn.was_slow) {
        atomic_fetch_add(reason == CLOSE_SLOW_CONSUMER_PENDING_BYTES ? &stats->n_slow_pending
                                                                     : &stats->n_slow_deadline,
                         1);
        atomic_fetch_add(&c->account->n_slow, 1);
    }
    if (reason == CLOSE_STALE_CONNECTION) {
        atomic_fetch_add(&stats->n_stale, 1);
    }
}

static void on_close(struct conn *conn, enum close_reason reason)
{
    struct client *c = client_of(conn);

    client_log(c, LOG_DBG, "Client connection closed: %s", close_reason_text(reason));
    count_end(c, reason);
    worker_clear_timer(conn->shard->worker, &c->timer);
    struct conn_report *report =
        c->home->shared->watcher ? conn_report_new(conn, CONN_REPORT_SUBS) : NULL;
    client_remove_all_subs(c);
    client_leave(c);
    atomic_fetch_sub(&c->home->shared->stats.n_open, 1);
    if (report) { // counts are without it now
        c->home->shared->watcher->on_event(c->home->shared->watcher, CONN_CLOSED, report);
    }
}

static void on_free(struct conn *conn)
{
    struct client *c = client_of(conn);

    client_info_free(c->info);
    sub_unref(c->limited);
    mem_free(c->nonce);
    mem_free(c);
}

/* The first byte tells what the client begins with; it is left there. */
static void on_arrival(struct conn *conn)
{
    struct client *c = client_of(conn);
    int first = stream_peek(&conn->stream);

    if (first == -EAGAIN) {
        return;
    }
    if (first < 0) {
        conn_close(conn, first == STREAM_PEEK_END ? CLOSE_CLIENT_CLOSED : CLOSE_READ_ERROR);
    } else if (c->step == CLIENT_STEP_PROXY_HEADER) {
        client_proxy_on_arrival(c, (char)first);
    } else {
        client_tls_on_arrival(c, (char)first);
    }
}

static const struct conn_ops client_conn_ops = {
    .kind = "Client",
    .on_bytes = on_bytes,
    .on_close = on_close,
    .on_free = on_free,
    .on_fenced = client_on_fenced,
    .trace_output = client_trace_output,
    .on_arrival = on_arrival,
    .on_secured = client_tls_on_secured,
    .label = client_label,
    .report = client_report,
    .announce_lame_duck = client_announce_to_one,
};

void client_begin(struct client *c)
{
    if (c->is_auth_pending || client_enter(c, NULL)) {
        client_arm_timer(c);
    }
}

void client_start(struct client_home *home, int fd, const struct addr *from)
{
    const struct client_options *o = home->options;
    struct client_shared *shared = home->shared;
    struct shard *sh = home->shard;
    struct client *c = mem_zalloc_aligned(sizeof(*c));

    if (sh->is_draining || conn_open(&c->conn, sh, fd, from, &client_conn_ops, &home->limits)) {
        close(fd);
        mem_free(c);
        atomic_fetch_sub_explicit(&sh->n_load, 1, memory_order_relaxed);
        return;
    }
    c->home = home;
    c->speaker.ops = &client_speaker_ops;
    client_set_account(c, shared->global);
    c->cid = atomic_fetch_add(&shared->last_cid, 1) + 1;
    c->verbose = c->pedantic = c->echo = true;
    c->is_auth_pending = login_is_required(home->rules);
    c->parser = (struct parser){.max_line_bytes = (uint32_t)o->max_control_line,
                                .max_payload_bytes = o->max_payload,
                                .connect_only = c->is_auth_pending};
    if (login_wants_nonce(home->rules)) {
        c->nonce = mem_alloc(LOGIN_NONCE_BYTES);
        login_draw_nonce(c->nonce);
    }
    c->timer.fire = client_on_timer;
    c->start_ns = clock_now_ns();
    c->born_ns = clock_wall_ns();
    client_log(c, LOG_DBG, "Client connection created");
    atomic_fetch_add(&shared->stats.n_total, 1);
    bool is_full = atomic_fetch_add(&shared->stats.n_open, 1) >= o->max_connections;
    if (o->proxy_protocol && !is_full) {
        client_proxy_start(c);
        return;
    }
    if (home->tls && !is_full) {
        client_tls_start(c);
        return;
    }
    if (!o->tls.first.is_on) {
        client_send_info(c, false);
    }
    if (is_full) {
        client_refuse(c, CLOSE_MAX_CONNECTIONS_EXCEEDED, "maximum connections exceeded");
    } else {
        client_begin(c);
    }
}

bool client_announce_to_one(struct conn *conn)
{
    struct client *c = client_of(conn);

    if (c->protocol < 1 || !c->got_first_ping) {
        return false;
    }
    client_send_lame_duck_info(c);
    return true;
}

static void announce_lame_duck(struct conn *conn, void *arg)
{
    (void)arg;
    client_announce_to_one(conn);
}

void client_announce_lame_duck(struct shard *sh)
{
    shard_for_each(sh, announce_lame_duck, NULL);
}
