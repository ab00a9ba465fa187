/* SPDX-License-Identifier: Apache-2.0 */
/* Requests are read while none is being answered and little is queued: what comes in between waits
 * in the kernel and in what was read with the request. So a connection costs no more than one
 * answer, however much is asked and however little is read. */
#include "monitor/http_conn.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "conn/shard.h"
#include "http/head.h"
#include "io/tls_stream.h"
#include "monitor/http_answer.h"
#include "monitor/http_server.h"
#include "monitor/monitor.h"

/* [ns] until a request must be there: since the connection was made, then since its first byte */
#define HEAD_DEADLINE_NS (5 * CLOCK_SEC_NS)
/* [bytes] beyond which nothing is added to what is queued */
#define MOST_QUEUED_BYTES (64u << 10)
/* Why we close after an answer; nobody is told. */
#define CLOSE_ANSWERED CLOSE_SERVER_SHUTDOWN

static struct http_conn *http_conn_of(struct conn *c)
{
    return CONTAINER_OF(c, struct http_conn, conn);
}

static struct worker *control_of(const struct http_conn *h)
{
    return h->conn.shard->worker;
}

static void write_buf(struct http_conn *h, struct buf *take_text)
{
    conn_write(&h->conn, buf_str(take_text));
    buf_deinit(take_text);
}

/* ---- replies */

void http_conn_write_head(struct http_conn *h, struct http_reply r)
{
    struct buf out = {0};

    r.is_1_0 = h->is_1_0;
    r.keeps_alive = h->keeps_alive;
    http_reply_write(&r, &out);
    write_buf(h, &out);
}

void http_conn_reply(struct http_conn *h, struct http_reply r, struct str body)
{
    r.framing = HTTP_LENGTH;
    r.length = body.n;
    http_conn_write_head(h, r);
    if (!h->is_head) {
        conn_write(&h->conn, body);
    }
}

/* What cannot be understood is answered in the fewest words: nothing is known of who sent it. */
static void refuse(struct http_conn *h, const char *status)
{
    struct buf out = {0};

    buf_printf(&out,
               "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: "
               "close\r\n\r\n%s",
               status, status);
    write_buf(h, &out);
    conn_close(&h->conn, CLOSE_PROTOCOL_VIOLATION);
}

/* ---- pace */

static bool is_busy(const struct http_conn *h)
{
    return h->query || h->conn.out.n_bytes > MOST_QUEUED_BYTES;
}

/* Requests are read, or they are not. */
static void set_pace(struct http_conn *h)
{
    if (conn_is_closing(&h->conn) || is_busy(h) == h->conn.is_paused) {
        return;
    }
    if (is_busy(h)) {
        conn_suspend(&h->conn);
    } else {
        conn_resume_soon(&h->conn);
    }
}

static void expect_head(struct http_conn *h)
{
    worker_set_timer(control_of(h), &h->timer, clock_now_ns() + HEAD_DEADLINE_NS);
}

void http_conn_answered(struct http_conn *h)
{
    if (h->keeps_alive) {
        set_pace(h);
    } else {
        conn_close(&h->conn, CLOSE_ANSWERED);
    }
}

void http_conn_pause(struct http_conn *h)
{
    h->is_pausing = true;
}

void http_conn_go_on_soon(struct http_conn *h)
{
    h->is_pausing = false;
    worker_set_timer(control_of(h), &h->timer, control_of(h)->now_ns);
}

static void on_sent(struct conn *conn)
{
    struct http_conn *h = http_conn_of(conn);

    if (h->is_pausing && conn->out.n_bytes <= MOST_QUEUED_BYTES) {
        http_conn_go_on_soon(h); // not now: others have their turn, too
    }
    if (!h->query) {
        set_pace(h);
    }
}

/* A line that did not even end is no request; one that did might have become one. */
static void on_late(struct http_conn *h)
{
    const struct conn *c = &h->conn;

    if (c->partial_n && !memchr(c->partial, '\n', c->partial_n)) {
        refuse(h, "400 Bad Request");
    } else {
        conn_close(&h->conn, CLOSE_STALE_CONNECTION);
    }
}

static void on_timer(struct timer *t)
{
    struct http_conn *h = CONTAINER_OF(t, struct http_conn, timer);

    if (conn_is_closing(&h->conn)) {
        return;
    }
    if (h->query) {
        http_answer_go_on(h);
    } else {
        on_late(h);
    }
}

/* ---- requests */

static void take_head(struct http_conn *h, const struct http_head *head)
{
    worker_clear_timer(control_of(h), &h->timer);
    h->n_seen = 0;
    h->is_1_0 = head->is_1_0;
    h->is_head = str_equal(head->method, STR("HEAD"));
    h->body = http_body_of(head);
    h->keeps_alive = head->keeps_alive && !head->expects && h->body.place != HTTP_BODY_BAD;
    http_answer(h, head);
}

/* @return  whether there was one; else more must come, or nothing more is read */
static bool take_request(struct http_conn *h, struct str *rest)
{
    struct http_head head;

    switch (http_head_parse(*rest, &h->n_seen, &head)) {
    case HTTP_HEAD_MORE:
        if (!timer_is_set(&h->timer)) {
            expect_head(h);
        }
        return false;
    case HTTP_HEAD_BAD:
        refuse(h, head.refusal);
        return false;
    case HTTP_HEAD_OK:
        break;
    }
    *rest = (struct str){.p = rest->p + head.n, .n = rest->n - head.n};
    take_head(h, &head);
    set_pace(h);
    return true;
}

/* @return  whether a request may begin */
static bool skip_body(struct http_conn *h, struct str *rest)
{
    if (http_body_skip(&h->body, rest)) {
        return rest->n > 0;
    }
    if (h->body.place == HTTP_BODY_BAD) {
        conn_close(&h->conn, CLOSE_PROTOCOL_VIOLATION);
    }
    return false;
}

static size_t on_bytes(struct conn *conn, struct str in)
{
    struct http_conn *h = http_conn_of(conn);
    struct str rest = in;

    while (!conn_is_closing(conn) && !conn->is_paused && skip_body(h, &rest) &&
           take_request(h, &rest)) {
    }
    return in.n - rest.n;
}

/* ---- TLS */

static void log_handshake_failed(const struct http_conn *h, const char *why)
{
    const struct addr *a = &h->conn.addr;
    char ip[ADDR_TEXT_MAX];
    bool is_v6 = a->family == AF_INET6;

    addr_format_ip(a, ip);
    log_error("monitoring: TLS handshake error from %s%s%s:%u: %s", is_v6 ? "[" : "", ip,
              is_v6 ? "]" : "", a->port, why);
}

/* The first byte tells who does not speak TLS; somebody at a keyboard, or with the wrong URL, is
 * told so. */
static void on_arrival(struct conn *conn)
{
    struct http_conn *h = http_conn_of(conn);
    int first = stream_peek(&conn->stream);

    if (first == -EAGAIN) {
        return;
    }
    if (first < 0) {
        conn_close(conn, CLOSE_CLIENT_CLOSED);
    } else if (first == TLS_FIRST_BYTE) {
        conn_secure(conn, h->server->tls);
    } else if (first >= 'A' && first <= 'Z') {
        log_handshake_failed(h, "client sent an HTTP request to an HTTPS server");
        conn_write(conn, STR("HTTP/1.0 400 Bad Request\r\n\r\n"
                             "Client sent an HTTP request to an HTTPS server.\n"));
        conn_close(conn, CLOSE_PROTOCOL_VIOLATION);
    } else {
        log_handshake_failed(h, "first record does not look like a TLS handshake");
        conn_close(conn, CLOSE_PROTOCOL_VIOLATION);
    }
}

static void on_secured(struct conn *conn, enum status st, const char *why_not)
{
    struct http_conn *h = http_conn_of(conn);

    if (st == ST_OK) {
        expect_head(h);
    } else {
        log_handshake_failed(h, why_not ? why_not : status_text(st));
        conn_close(conn, CLOSE_TLS_HANDSHAKE_ERROR);
    }
}

/* ---- life */

static void on_close(struct conn *conn, enum close_reason reason)
{
    struct http_conn *h = http_conn_of(conn);

    (void)reason;
    worker_clear_timer(control_of(h), &h->timer);
    http_answer_give_up(h);
}

static void on_free(struct conn *conn)
{
    mem_free(http_conn_of(conn));
}

static void label(const struct conn *conn, char out[CONN_LABEL_MAX])
{
    char ip[ADDR_TEXT_MAX];

    addr_format_ip(&conn->addr, ip);
    snprintf(out, CONN_LABEL_MAX, "%s:%u - monitor - ", ip, conn->addr.port);
}

static const struct conn_ops http_conn_ops = {
    .kind = "Monitor",
    .on_bytes = on_bytes,
    .on_close = on_close,
    .on_free = on_free,
    .on_arrival = on_arrival,
    .on_secured = on_secured,
    .on_sent = on_sent,
    .label = label,
};

void http_conn_abort(struct conn *c, const struct http_server *s)
{
    if (c->ops == &http_conn_ops && http_conn_of(c)->server == s) {
        conn_close(c, CLOSE_WRITE_ERROR);
    }
}

void http_conn_start(struct http_server *s, int take_fd, const struct addr *from)
{
    struct shard *sh = s->monitor->shards[0];
    struct http_conn *h = mem_zalloc_aligned(sizeof(*h));

    if (sh->is_draining ||
        conn_open(&h->conn, sh, take_fd, from, &http_conn_ops, &s->limits) != ST_OK) {
        close(take_fd);
        mem_free(h);
        return;
    }
    atomic_fetch_add_explicit(&sh->n_load, 1, memory_order_relaxed);
    h->server = s;
    h->timer.fire = on_timer;
    expect_head(h);
    if (s->tls) {
        conn_await(&h->conn);
    }
}
