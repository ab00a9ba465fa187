/* SPDX-License-Identifier: Apache-2.0 */
/* A client without a proxy shows by its first byte that there is no header, and goes on as if
 * nothing had been asked. What follows the header may be a handshake, which is read elsewhere: so
 * no more is read than surely belongs to the header. */
#include "client/client_proxy.h"

#include "base/clock.h"
#include "base/log.h"
#include "client/client.h"
#include "client/client_options.h"
#include "client/client_tls.h"
#include "proto/proxy.h"

#define TIMEOUT_NS (5 * CLOCK_SEC_NS)
#define LEAST_BYTES 15u // of a header: "PROXY UNKNOWN\r\n"

void client_proxy_start(struct client *c)
{
    c->step = CLIENT_STEP_PROXY_HEADER;
    if (!c->home->options->tls.first.is_on) {
        client_send_info(c, false);
    }
    conn_await(&c->conn);
    worker_set_timer(c->conn.shard->worker, &c->timer, clock_now_ns() + TIMEOUT_NS);
}

/* On with the handshake, or with the protocol. @return whether it is the protocol */
static bool go_on(struct client *c)
{
    worker_clear_timer(c->conn.shard->worker, &c->timer);
    conn_end_await(&c->conn);
    c->conn.read_most = 0;
    c->step = CLIENT_STEP_NONE;
    if (!c->home->tls) {
        client_begin(c);
        return true;
    }
    if (c->home->options->tls.first.is_on) {
        client_tls_start(c);
    } else {
        client_tls_after_info(c);
    }
    return false;
}

void client_proxy_on_arrival(struct client *c, char first)
{
    struct proxy_header h;
    char why[PROXY_WHY_MAX];

    if (proxy_parse((struct str){.p = &first, .n = 1}, &h, why) == PROXY_NONE) {
        go_on(c);
    } else {
        c->conn.read_most = c->home->tls ? LEAST_BYTES : 0;
        conn_end_await(&c->conn);
    }
}

static void adopt_address(struct client *c, const struct proxy_header *h)
{
    if (h->family) {
        c->conn.addr.family = h->family == 6 ? AF_INET6 : AF_INET;
        c->conn.addr.port = h->port;
        memcpy(c->conn.addr.ip, h->ip, sizeof(h->ip));
    }
}

static void refuse_header(struct client *c, const char *why)
{
    char ip[ADDR_TEXT_MAX];

    addr_format_ip(&c->conn.addr, ip);
    log_warn("Error reading PROXY protocol header from %s:%u: %s", ip, c->conn.addr.port, why);
    conn_close(&c->conn, CLOSE_PROTOCOL_VIOLATION);
}

bool client_proxy_take_header(struct client *c, struct str *in)
{
    struct proxy_header h;
    char why[PROXY_WHY_MAX];

    switch (proxy_parse(*in, &h, why)) {
    case PROXY_OK:
        adopt_address(c, &h);
        *in = (struct str){.p = in->p + h.n, .n = in->n - h.n};
        return go_on(c);
    case PROXY_NONE:
        return go_on(c);
    case PROXY_MORE:
        if (c->home->tls) {
            c->conn.read_most = h.n > in->n ? (uint32_t)(h.n - in->n) : 1;
        }
        return false;
    case PROXY_BAD:
        refuse_header(c, why);
        return false;
    }
    UNREACHABLE();
}

void client_proxy_on_timer(struct client *c)
{
    refuse_header(c, "i/o timeout");
}
