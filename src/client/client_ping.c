/* SPDX-License-Identifier: Apache-2.0 */
/* PING and PONG in both directions, and the timer behind them (spec 01 §8). One timer serves first
 * the authentication deadline, then the pings. */
#include "base/clock.h"
#include "broker/deliver.h"
#include "client/client.h"
#include "client/client_options.h"
#include "client/client_proxy.h"
#include "client/client_tls.h"
#include "io/worker.h"

#define FIRST_PING_NS (2 * CLOCK_SEC_NS)
#define RTT_MAX_AGE_NS (3600 * CLOCK_SEC_NS)

static void answer_ping(struct client *c)
{
    conn_write(&c->conn, STR("PONG\r\n"));
    client_trace_out(c, "PONG");
    if (!c->got_first_ping && c->got_connect) {
        c->got_first_ping = true;
        if (c->protocol >= 1) {
            client_send_info(c, true);
        }
    }
}

void client_ping(struct client *c, struct op *op)
{
    (void)op;
    c->last_ping_ns = c->conn.shard->worker->now_ns;
    client_answer(c, answer_ping);
}

void client_pong(struct client *c, struct op *op)
{
    (void)op;
    c->pings_out = 0;
    if (c->ping_sent_ns) {
        c->rtt_ns = clock_now_ns() - c->ping_sent_ns;
    }
}

static void send_ping(struct client *c)
{
    c->pings_out++;
    c->ping_sent_ns = clock_now_ns();
    conn_write(&c->conn, STR("PING\r\n"));
    client_trace_out(c, "PING");
}

void client_measure_rtt(struct client *c)
{
    if (c->rtt_ns == 0 && c->got_first_ping && c->pings_out == 0) {
        send_ping(c);
    }
}

static void arm(struct client *c, int64_t delay_ns)
{
    worker_set_timer(c->conn.shard->worker, &c->timer, clock_now_ns() + delay_ns);
}

void client_arm_timer(struct client *c)
{
    const struct client_options *o = c->home->options;

    if (c->is_auth_pending) {
        arm(c, c->home->auth_timeout_ns);
    } else if (!c->got_connect) {
        arm(c, o->ping_interval_ns);
    } else {
        int64_t first = o->ping_interval_ns < FIRST_PING_NS ? o->ping_interval_ns : FIRST_PING_NS;

        arm(c, first + (int64_t)(deliver_random(c->home->delivery) % (uint64_t)(first / 5 + 1)));
    }
}

void client_on_timer(struct timer *t)
{
    struct client *c = CONTAINER_OF(t, struct client, timer);
    const struct client_options *o = c->home->options;
    int64_t now = clock_now_ns();

    if (c->step != CLIENT_STEP_NONE) {
        c->step == CLIENT_STEP_PROXY_HEADER ? client_proxy_on_timer(c) : client_tls_on_timer(c);
        return;
    }
    if (c->is_auth_pending) {
        client_refuse(c, CLOSE_AUTHENTICATION_TIMEOUT, "Authentication Timeout");
        return;
    }
    bool is_active = now - c->last_active_ns < o->ping_interval_ns ||
                     now - c->last_ping_ns < o->ping_interval_ns;
    bool knows_rtt = c->ping_sent_ns && now - c->ping_sent_ns < RTT_MAX_AGE_NS;
    if (!is_active || !knows_rtt) {
        if (c->pings_out + 1 > o->ping_max) {
            client_log(c, LOG_DBG, "Stale Client Connection - Closing");
            client_send_error(c, "Stale Connection");
            conn_close(&c->conn, CLOSE_STALE_CONNECTION);
            return;
        }
        send_ping(c);
    }
    arm(c, o->ping_interval_ns);
}
