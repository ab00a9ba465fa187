/* SPDX-License-Identifier: Apache-2.0 */
/* What monitoring and events are told of a client (spec 07 §6). */
#include "auth/login.h"
#include "base/clock.h"
#include "broker/account.h"
#include "broker/stream_import.h"
#include "broker/sub.h"
#include "client/client.h"
#include "conn/conn_report.h"
#include "io/tls_stream.h"

/* The other way round, the same moment would be another one each time. */
static int64_t wall_of(const struct client *c, int64_t monotonic_ns)
{
    return c->born_ns + (monotonic_ns > c->start_ns ? monotonic_ns - c->start_ns : 0);
}

static int64_t last_active(const struct client *c)
{
    return c->conn.last_out_ns > c->last_active_ns ? c->conn.last_out_ns : c->last_active_ns;
}

static void report_address(const struct client *c, struct conn_report *out)
{
    addr_format_ip(&c->conn.addr, c->home->host);
    out->ip = str_of(c->home->host);
    out->port = c->conn.addr.port;
}

static void report_identity(const struct client *c, struct conn_report *out)
{
    out->account = str_of(c->account->name);
    out->user = client_user_name(c);
    out->is_in = c->is_told_in;
    if (c->info) {
        out->name = c->info->name;
        out->lang = c->info->lang;
        out->version = c->info->version;
    }
    if (c->proxy) {
        out->proxy_key = c->proxy->nkey;
    }
}

static void report_times(const struct client *c, struct conn_report *out)
{
    out->start_ns = c->born_ns;
    out->stop_ns = conn_is_closing(&c->conn) ? wall_of(c, clock_now_ns()) : 0;
    out->last_active_ns = wall_of(c, last_active(c));
    out->rtt_ns = c->rtt_ns;
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
    out->n_importing = c->imports.n;
    out->n_stalls = atomic_load(&handle_slot(&conn->shard->table, conn->handle)->n_stalls);
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

static struct conn_report_sub describe(const struct sub *s)
{
    return (struct conn_report_sub){.subject = sub_subject(s),
                                    .queue = sub_queue(s),
                                    .sid = sub_sid(s),
                                    .n_msgs = atomic_load(&s->n_delivered),
                                    .max = atomic_load(&s->max)};
}

static struct conn_report_sub describe_import(const struct imported *i)
{
    struct conn_report_sub described = describe(imported_sub(i));

    described.exporter = str_of(i->stream->exporter->name);
    return described;
}

/* Where a walk over a set goes on; 0 after its end. */
static uint32_t next_start(const struct ptrset *set, uint32_t at)
{
    uint32_t ahead = at;

    return ptrset_next(set, &ahead) ? at : 0;
}

static void list_subs(const struct client *c, struct conn_report *out, struct arena *scratch)
{
    const struct ptrset *set = &c->sids.set;

    if (set->n == 0) {
        return;
    }
    size_t most = set->n < CONN_REPORT_MOST_SUBS ? set->n : CONN_REPORT_MOST_SUBS;
    struct conn_report_sub *list = arena_alloc(scratch, most * sizeof(list[0]));
    uint32_t at = out->subs_from;
    size_t n = 0;

    for (const struct sub *s; n < most && (s = ptrset_next(set, &at)) != NULL;) {
        list[n++] = describe(s);
    }
    out->subs = list;
    out->n_listed_subs = n;
    out->subs_next = next_start(set, at);
}

/* In whole lists of what stands behind one subscription. */
static void list_imports(const struct client *c, struct conn_report *out, struct arena *scratch)
{
    struct conn_report_sub *list = NULL;
    uint32_t at = out->subs_from;
    size_t n = 0;

    for (const struct imported *first;
         n < CONN_REPORT_MOST_SUBS && (first = ptrset_next(&c->imports, &at)) != NULL;) {
        for (const struct imported *i = first; i; i = i->next) {
            list = mem_realloc(list, (n + 1) * sizeof(list[0]));
            list[n++] = describe_import(i);
        }
    }
    out->subs = arena_alloc(scratch, (n + 1) * sizeof(list[0]));
    if (n) {
        memcpy((void *)(uintptr_t)out->subs, list, n * sizeof(list[0]));
    }
    mem_free(list);
    out->n_listed_subs = n;
    out->subs_next = next_start(&c->imports, at);
}

/** Room for a chain of certificates. */
struct chain {
    struct conn_report *out;
    struct conn_report_cert *list;
    struct arena *scratch;
};

static void add_link(void *arg, const struct tls_peer_link *link)
{
    struct chain *chain = arg;
    struct arena *a = chain->scratch;
    size_t n = chain->out->n_certs;
    struct conn_report_cert *longer = arena_alloc(a, (n + 1) * sizeof(longer[0]));

    if (n) {
        memcpy(longer, chain->list, n * sizeof(longer[0]));
    }
    longer[n] = (struct conn_report_cert){.subject = arena_str(a, link->subject),
                                          .spki_sha256 = arena_str(a, link->spki_sha256),
                                          .cert_sha256 = arena_str(a, link->cert_sha256)};
    chain->list = longer;
    chain->out->certs = longer;
    chain->out->n_certs = n + 1;
}

void client_report(struct conn *conn, unsigned what, struct conn_report *out, struct arena *scratch)
{
    struct client *c = client_of(conn);

    out->cid = c->cid;
    out->type = "nats";
    out->reason = (enum close_reason)conn->reason;
    report_identity(c, out);
    report_times(c, out);
    report_counters(c, out);
    if (!(what & CONN_REPORT_BRIEF)) {
        report_address(c, out);
        report_tls(c, out);
    }
    if (what & CONN_REPORT_SUBS) {
        list_subs(c, out, scratch);
    } else if (what & CONN_REPORT_IMPORTS) {
        list_imports(c, out, scratch);
    }
    if (what & CONN_REPORT_CERTS) {
        tls_peer_for_each_link(&conn->stream, add_link,
                               &(struct chain){.out = out, .scratch = scratch});
    }
    if (what & CONN_REPORT_RTT) {
        client_measure_rtt(c);
    }
}

void client_tell(struct client *c, enum conn_event event)
{
    struct conn_watcher *w = c->home->shared->watcher;

    if (w && (event == CONN_ENTERED || c->is_told_in)) {
        w->on_event(w, event, conn_report_new(&c->conn, 0));
        c->is_told_in = event != CONN_LEFT;
    }
}

void client_tell_refusal(struct client *c, enum conn_event event, enum close_reason reason)
{
    struct conn_watcher *w = c->home->shared->watcher;

    if (w) {
        struct conn_report *r = conn_report_new(&c->conn, 0);

        r->reason = reason;
        r->stop_ns = wall_of(c, clock_now_ns());
        w->on_event(w, event, r);
    }
}
