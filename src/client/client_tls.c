/* SPDX-License-Identifier: Apache-2.0 */
/* What comes before the protocol on a server with TLS (spec 04 §9): INFO in the clear and then the
 * handshake, or the handshake first, or whatever the client begins with. One function for each step
 * of the way; the client's timer watches over all of them. */
#include "client/client_tls.h"

#include "base/clock.h"
#include "base/log.h"
#include "client/client.h"
#include "client/client_options.h"
#include "io/tls_context.h"
#include "io/tls_stream.h"

#define WINDOW_MS 1000
#define COUNT_BITS 24 // of a window that count handshakes; the others are when it began [ms]

static const struct tls_options *options(const struct client *c)
{
    return &c->home->options->tls;
}

/* Whether clients are told nothing before a handshake. */
static bool has_strict_first(const struct client_options *o)
{
    return o->tls.first.is_on && o->tls.first.fallback_ns == 0;
}

bool client_tls_is_required(const struct client_options *o)
{
    return o->tls.is_on && (!o->allow_non_tls || has_strict_first(o));
}

void client_tls_log_mode(const struct client_options *o)
{
    if (!o->tls.is_on) {
        return;
    }
    log_info("TLS %s for client connections", client_tls_is_required(o) ? "required" : "available");
    if (has_strict_first(o)) {
        log_warn("Clients that are not using \"TLS Handshake First\" option will fail to connect");
    }
}

/* ---- so many handshakes a second, of all workers together */

static void on_report(struct timer *t)
{
    struct client_home *h = CONTAINER_OF(t, struct client_home, throttle_report);
    uint64_t n = atomic_exchange(&h->shared->n_throttled, 0);

    log_warn("Rejected %llu connections due to TLS rate limiting", (unsigned long long)n);
}

/* Counts one more; false: there have been too many in this window, which began with its first. */
static bool may_shake_hands(struct client_home *h, int64_t limit)
{
    uint64_t now_ms = (uint64_t)(clock_now_ns() / CLOCK_MS_NS);
    uint64_t mask = (UINT64_C(1) << COUNT_BITS) - 1;
    uint64_t old = atomic_load(&h->shared->tls_window);
    uint64_t new;

    do {
        bool is_over = (old & mask) == 0 || now_ms - (old >> COUNT_BITS) >= WINDOW_MS;

        new = is_over ? now_ms << COUNT_BITS | 1 : old + 1;
        if (!is_over && (int64_t)(old & mask) >= limit) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&h->shared->tls_window, &old, new));
    return true;
}

static bool is_throttled(struct client *c)
{
    struct client_home *h = c->home;
    int64_t limit = options(c)->connection_rate_limit;

    if (limit <= 0 || may_shake_hands(h, limit)) {
        return false;
    }
    if (atomic_fetch_add(&h->shared->n_throttled, 1) == 0) { // the first says how many there were
        h->throttle_report.fire = on_report;
        worker_set_timer(h->shard->worker, &h->throttle_report, clock_now_ns() + CLOCK_SEC_NS);
    }
    client_send_error(c, "Connection throttling is active. Please try again later.");
    conn_close(&c->conn, CLOSE_MAX_CONNECTIONS_EXCEEDED);
    return true;
}

/* ---- the steps */

static void set_timer(struct client *c, int64_t delay_ns)
{
    worker_set_timer(c->conn.shard->worker, &c->timer, clock_now_ns() + delay_ns);
}

/* The protocol begins. */
static void go_on(struct client *c)
{
    worker_clear_timer(c->conn.shard->worker, &c->timer);
    conn_end_await(&c->conn);
    c->step = CLIENT_STEP_NONE;
    client_begin(c);
}

static void shake_hands(struct client *c)
{
    if (is_throttled(c)) {
        return;
    }
    c->step = CLIENT_STEP_HANDSHAKE;
    set_timer(c, options(c)->timeout_ns);
    client_log(c, LOG_DBG, "Starting TLS client connection handshake");
    conn_secure(&c->conn, c->home->tls);
}

/* INFO in the clear; it says what may follow. */
static void announce(struct client *c)
{
    client_send_info(c, false);
    client_tls_after_info(c);
}

void client_tls_after_info(struct client *c)
{
    if (c->home->options->allow_non_tls) {
        c->step = CLIENT_STEP_FIRST_BYTE;
        conn_await(&c->conn);
        set_timer(c, options(c)->timeout_ns);
    } else {
        shake_hands(c);
    }
}

void client_tls_start(struct client *c)
{
    const struct tls_first *first = &options(c)->first;

    c->is_tls_first = first->is_on;
    if (!first->is_on) {
        announce(c);
    } else if (first->fallback_ns) {
        c->step = CLIENT_STEP_EARLY_BYTES;
        conn_await(&c->conn);
        set_timer(c, first->fallback_ns);
    } else {
        shake_hands(c);
    }
}

/* ---- what happens on the way */

void client_tls_on_arrival(struct client *c, char first)
{
    if (c->step == CLIENT_STEP_EARLY_BYTES || first == TLS_FIRST_BYTE) {
        shake_hands(c);
    } else {
        go_on(c);
    }
}

void client_tls_on_timer(struct client *c)
{
    switch (c->step) {
    case CLIENT_STEP_EARLY_BYTES: // it waits for INFO
        c->is_tls_first = false;
        announce(c);
        break;
    case CLIENT_STEP_FIRST_BYTE: // it waits for something else than a handshake
        go_on(c);
        break;
    default:
        client_log(c, LOG_DBG, "TLS handshake timeout");
        conn_close(&c->conn, CLOSE_TLS_HANDSHAKE_ERROR);
        break;
    }
}

void client_tls_on_secured(struct conn *conn, enum status st, const char *why_not)
{
    struct client *c = client_of(conn);

    if (st != ST_OK) {
        client_log(c, st == ST_BAD_VALUE ? LOG_DBG : LOG_ERR, "TLS handshake error: %s", why_not);
        conn_close(conn, CLOSE_TLS_HANDSHAKE_ERROR);
        return;
    }
    client_log(c, LOG_DBG, "TLS handshake complete");
    client_log(c, LOG_DBG, "TLS version %s, cipher suite %s", stream_tls_version(&conn->stream),
               stream_tls_cipher(&conn->stream));
    if (c->is_tls_first) {
        client_send_info(c, false);
    }
    go_on(c);
}
