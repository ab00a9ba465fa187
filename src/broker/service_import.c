/* SPDX-License-Identifier: Apache-2.0 */
/* A request on its way into another account: its subject becomes that of the export, its reply one
 * that leads back here, and a header tells who asks. */
#include "broker/service_import.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "broker/account.h"
#include "broker/deliver.h"
#include "broker/latency.h"
#include "broker/msg_origin.h"
#include "broker/party.h"
#include "broker/peer.h"
#include "broker/responses.h"
#include "broker/trace.h"
#include "proto/header.h"

/* ---- who asks */

/* The first service that a message went through; `s` if none did before. */
static const struct service_import *first_service(const struct service_import *s,
                                                  const struct msg_origin *o)
{
    for (; o->before && o->service; o = o->before) {
        s = o->service;
    }
    return s;
}

/* Whether it is told on which server it asks: by whoever asks on its behalf, or asks the system
 * account. */
static bool tells_server(const struct service_import *s, const struct msg_origin *o)
{
    bool is_told = s->import->from->is_system;

    for (; o->before && o->service; o = o->before) {
        is_told = is_told || s->import->share || o->service->import->from->is_system;
        s = o->service;
    }
    return is_told;
}

/* What the exporting account may know of who asks (spec 05 §10): how much of it is for the account
 * that asked first to say. */
static void describe(const struct service_import *s, const struct msg_origin *o, struct party *out)
{
    const struct service_import *first = first_service(s, o);
    struct party all = {0};

    if (o->speaker) {
        o->speaker->ops->tell(o->speaker, &all);
    }
    all.account = str_of(o->account->name);
    all.service = first != s ? str_of(s->importer->name) : (struct str){0};
    if (first->import->share) {
        *out = all;
        return;
    }
    *out = (struct party){.account = all.account, .service = all.service, .rtt_ns = all.rtt_ns};
    if (tells_server(s, o)) {
        out->server = all.server;
        out->cluster = all.cluster;
    }
}

static struct str add_info(struct str hdr, const struct party *who, struct hop *h)
{
    struct json j = json_to(&h->info);

    h->info.n = h->hdr.n = 0;
    party_write(who, &j);
    header_replace(hdr, STR("Nats-Request-Info"), buf_str(&h->info), &h->hdr);
    return buf_str(&h->hdr);
}

/* ---- what becomes of it */

void service_import_report(const struct service_import *s, struct delivery *d,
                           const struct latency_probe *probe, enum latency_status status,
                           const struct party *responder)
{
    struct buf json = {0};

    latency_report(probe, status, responder, clock_now_ns(), &json);
    deliver_own(d, s->exporter, s->import->export->latency.subject, buf_str(&json));
    buf_deinit(&json);
}

/* Metrics know who asked, not by way of whom. */
static struct latency_probe *measure(const struct service_import *s, struct delivery *d,
                                     const struct msg *m, const struct party *who)
{
    bool is_shared = first_service(s, m->origin)->import->share;
    struct party requestor = *who;

    requestor.service = (struct str){0};
    if (!is_shared) {
        requestor.server = requestor.cluster = (struct str){0};
    }
    const struct latency_rule *rule = &s->import->export->latency;
    struct latency_probe *p =
        rule->subject.n ? latency_sample(rule, m->hdr, deliver_random(d)) : NULL;

    if (p) {
        latency_start(p, &requestor, clock_now_ns());
    }
    return p;
}

static struct str make_subject(const struct service_import *s, struct delivery *d,
                               struct str subject, struct hop *h)
{
    const struct transform *t = s->import->transforms.to_remote;

    if (t) {
        h->subject.n = 0;
        transform_apply(t, subject, 0, &h->subject);
        subject = buf_str(&h->subject);
    }
    return deliver_map_hop(d, s->exporter, subject, &h->mapped);
}

/* @return  the reply subject for the exporting account; empty: there is none */
static struct str await_response(struct service_import *s, struct delivery *d, const struct msg *m,
                                 struct latency_probe *take_probe, struct hop *h)
{
    struct response_terms terms = {.requestor = s->importer,
                                   .reply = m->reply,
                                   .type = s->import->export->response,
                                   .threshold_ns = s->import->export->threshold_ns,
                                   .service = service_import_sub(s),
                                   .probe = take_probe};

    if (m->reply.n == 0) {
        if (take_probe) {
            service_import_report(s, d, take_probe, LATENCY_BAD_REQUEST, NULL);
            latency_free(take_probe);
        }
        return m->reply;
    }
    responses_await(s->exporter->responses, d, &terms, &h->reply);
    return buf_str(&h->reply);
}

/* The trace goes on in the exporting account if that allows it; what clients there see of it leads
 * nowhere. @return  whether the request goes on */
static bool trace_request(const struct service_import *s, const struct msg *m, struct msg *request,
                          struct hop *h)
{
    struct trace *t = m->origin->trace;
    bool is_allowed = s->import->export->allow_trace;
    struct buf dest = {0};

    trace_service(t, s->exporter, m->subject, request->subject);
    if (is_allowed) {
        responses_draw_subject(s->exporter->responses, &dest);
    } else {
        buf_add(&dest, TRACE_DISABLED);
    }
    h->traced.n = 0;
    header_replace(request->hdr, STR("Nats-Trace-Dest"), buf_str(&dest), &h->traced);
    request->hdr = buf_str(&h->traced);
    buf_deinit(&dest);
    return is_allowed || !t->is_only;
}

/* An export of everything does not let others answer in the exporter's place. */
static bool is_reply_subject(struct str subject)
{
    return subject.n > 4 && subject.p[0] == '_' && str_starts_with(subject, STR("_R_."));
}

static size_t ask(struct service_import *s, struct delivery *d, const struct msg *m,
                  uint64_t except, struct hop *h)
{
    struct trace *t = m->origin->trace;
    const struct msg_origin origin = {.speaker = m->origin->speaker,
                                      .account = m->origin->account,
                                      .before = m->origin,
                                      .service = s,
                                      .export = s->import->export,
                                      .trace = s->import->export->allow_trace ? t : NULL};
    bool keeps_reply = str_starts_with(m->reply, STR("$JS.ACK.")) || (t && t->is_only);
    struct msg request = {.payload = m->payload, .reply = m->reply, .origin = &origin};
    struct match_hint hint = {0};
    struct party who;
    size_t n;

    request.subject = make_subject(s, d, m->subject, h);
    if (UNLIKELY(is_reply_subject(request.subject))) {
        return 0;
    }
    describe(s, m->origin, &who);
    request.hdr = add_info(m->hdr, &who, h);
    if (UNLIKELY(t != NULL) && !trace_request(s, m, &request, h)) {
        return 0;
    }
    if (!keeps_reply) {
        request.reply = await_response(s, d, m, measure(s, d, m, &who), h);
    }
    n = deliver(d, s->exporter, &request, except, &hint);
    if (n == 0 && request.reply.n && !keeps_reply) {
        responses_cancel(s->exporter->responses, d, request.reply);
    }
    return n;
}

/* ---- as a peer */

/* Has the message been here? Accounts may import in a circle, each under another name; a reply may
 * be the subject of a service. */
static bool is_circle(const struct service_import *s, const struct msg_origin *o)
{
    for (; o; o = o->before) {
        if (o->export == s->import->export) {
            return true;
        }
    }
    return false;
}

static size_t handle(struct delivery *d, struct account *a, struct msg *m, struct sub *sub,
                     uint64_t except)
{
    struct service_import *s = service_import_of(sub);
    struct hop *h = is_circle(s, m->origin) ? NULL : deliver_enter_hop(d);
    size_t n = 0;

    (void)a;
    if (h) {
        n = ask(s, d, m, except, h);
        deliver_leave_hop(d);
    }
    return n;
}

static void release(struct sub *sub)
{
    struct service_import *s = service_import_of(sub);

    tenancy_unref(s->tenancy);
    mem_free(s);
}

static const struct peer_ops service_ops = {.kind = "Account",
                                            .write_msg = deliver_afterwards,
                                            .handle = handle,
                                            .tells_traces = true,
                                            .release = release};

void service_import_follow(struct service_import *s, struct tenancy *tenancy,
                           const struct import *import)
{
    struct tenancy *before = s->tenancy;

    s->tenancy = tenancy_ref(tenancy);
    s->import = import;
    tenancy_unref(before);
}

struct sub *service_import_new(struct tenancy *tenancy, const struct import *import,
                               struct account *from, struct account *to)
{
    struct sub *sub = sub_new_behind(sizeof(struct service_import), HANDLE_NONE, &service_ops,
                                     import->local, (struct str){0}, (struct str){0});
    struct service_import *s = service_import_of(sub);

    s->tenancy = tenancy_ref(tenancy);
    s->import = import;
    s->importer = from;
    s->exporter = to;
    return sub;
}
