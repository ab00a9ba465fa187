/* SPDX-License-Identifier: Apache-2.0 */
/* What monitoring and events are told of a client (spec 07 §6). */
#include "auth/login.h"
#include "base/clock.h"
#include "broker/account.h"
#include "broker/sub.h"
#include "client/client.h"
#include "conn/conn_report.h"
#include "io/tls_stream.h"

/* Clients keep the time of intervals; people want that of the wall. */
static int64_t wall_of(int64_t monotonic_ns)
{
    return clock_wall_ns() - (clock_now_ns() - monotonic_ns);
}

static void report_identity(const struct client *c, struct conn_report *out)
{
    out->account = str_of(c->account->name);
    out->user = client_user_name(c);
    out->authorized_user = c->user ? out->user : (struct str){0};
    if (c->info) {
        out->name = c->info->name;
        out->lang = c->info->lang;
        out->version = c->info->version;
    }
    if (c->proxy) {
        out->proxy_key = c->proxy->nkey;
    }
}

static void report_counters(const struct client *c, struct conn_report *out)
{
    const struct conn *conn = &c->conn;

    out->pending_bytes = conn->out.n_bytes;
    out->in_msgs = conn->in_msgs;
    out->in_bytes = conn->in_bytes;
    out->out_msgs = conn->out_msgs + conn->out.n_msgs;
    out->out_bytes = conn->out_bytes + conn->out.n_msg_bytes;
    out->n_subs = sids_count(&c->sids);
    out->n_stalls = c->n_stalls;
}

static void report_tls(const struct client *c, struct conn_report *out)
{
    const struct stream *s = &c->conn.stream;

    if (stream_is_secured(s)) {
        out->tls_version = str_of(stream_tls_version(s));
        out->tls_cipher = str_of(stream_tls_cipher(s));
        out->is_tls_first = c->is_tls_first;
    }
}

static void report_subs(const struct client *c, struct conn_report *out, struct arena *scratch)
{
    struct conn_report_sub *list = arena_alloc(scratch, sids_count(&c->sids) * sizeof(list[0]));
    uint32_t at = 0;
    size_t n = 0;

    for (struct sub *s; (s = ptrset_next(&c->sids.set, &at)) != NULL;) {
        list[n++] = (struct conn_report_sub){.subject = sub_subject(s),
                                             .queue = sub_queue(s),
                                             .sid = sub_sid(s),
                                             .n_msgs = atomic_load(&s->n_delivered),
                                             .max = atomic_load(&s->max)};
    }
    out->subs = list;
    out->n_listed_subs = n;
}

void client_report(struct conn *conn, unsigned what, struct conn_report *out, struct arena *scratch)
{
    const struct client *c = client_of(conn);
    char *ip = arena_alloc(scratch, ADDR_TEXT_MAX);

    addr_format_ip(&conn->addr, ip);
    out->cid = c->cid;
    out->type = "nats";
    out->ip = str_of(ip);
    out->port = conn->addr.port;
    out->start_ns = wall_of(c->start_ns);
    out->stop_ns = conn_is_closing(conn) ? clock_wall_ns() : 0;
    out->last_active_ns = wall_of(c->last_active_ns ? c->last_active_ns : c->start_ns);
    out->rtt_ns = c->rtt_ns;
    out->reason = (enum close_reason)conn->reason;
    report_identity(c, out);
    report_counters(c, out);
    report_tls(c, out);
    if (what & CONN_REPORT_SUBS) {
        report_subs(c, out, scratch);
    }
}

void client_tell(struct client *c, enum conn_event event)
{
    struct conn_watcher *w = c->home->shared->watcher;

    if (w) {
        w->on_event(w, event, conn_report_new(&c->conn, 0));
    }
}
