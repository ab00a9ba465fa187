/* SPDX-License-Identifier: Apache-2.0 */
/* Events are kept as they happen and written at the end, as receivers on other workers have to be
 * asked first who they are. Only one worker at a time has the trace; meanwhile the publisher's
 * keeps its place in the order. */
#include "broker/trace.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "broker/account.h"
#include "broker/deliver.h"
#include "broker/links.h"
#include "broker/msg_origin.h"
#include "broker/party.h"
#include "broker/peer.h"
#include "broker/server_block.h"
#include "conn/handle.h"
#include "io/worker.h"
#include "proto/content_coding.h"
#include "proto/header.h"
#include "proto/header_map.h"

/* Fields that are empty are not written. */
struct trace_event {
    const char *type;
    int64_t wall_ns;
    bool has_peer; // publisher or receiver
    unsigned kind; // of the peer, as traces number them
    uint64_t id;
    struct str name;
    struct str account, from, to, subject, sub, queue, error;
    uint64_t asked; // handle of a receiver that is not known yet; HANDLE_NONE: it is
    const struct peer_ops *ops;
};

/* ---- events */

/* @return  room for one more; NULL: there are too many */
static struct trace_event *add(struct trace *t, const char *type)
{
    if (t->n_events == TRACE_MAX_EVENTS) {
        return NULL;
    }
    if (t->n_events == t->events_cap) {
        t->events_cap = t->events_cap ? t->events_cap * 2 : 8;
        t->events = mem_realloc(t->events, t->events_cap * sizeof(t->events[0]));
    }
    struct trace_event *e = &t->events[t->n_events++];

    *e = (struct trace_event){.type = type, .wall_ns = clock_wall_ns()};
    return e;
}

static struct str keep(struct trace *t, struct str s)
{
    return s.n ? arena_str(&t->strings, s) : s;
}

static void set_peer(struct trace *t, struct trace_event *e, const struct speaker *s)
{
    struct party who = {0};

    s->ops->tell(s, &who);
    e->kind = s->ops->trace_kind;
    e->id = who.id;
    e->name = keep(t, who.name);
}

static bool is_switched_on(struct str value)
{
    return str_equal(value, STR("1")) || str_equal_nocase(value, STR("true")) ||
           str_equal_nocase(value, STR("on"));
}

static void write_request(const struct msg *m, size_t msg_bytes, struct buf *out)
{
    struct json j = json_to(out);

    json_open_object(&j);
    json_key(&j, "header");
    header_map_write(m->hdr, &j);
    json_opt_uint(&j, "msgsize", msg_bytes);
    json_close_object(&j);
}

struct trace *trace_new(const struct msg_origin *o, const struct msg *m, size_t msg_bytes,
                        struct str dest)
{
    struct trace *t = mem_zalloc(sizeof(*t));
    struct trace_event *e = add(t, "in");

    t->account = (struct account *)(uintptr_t)o->account;
    t->stage.account = o->account;
    t->dest = keep(t, dest);
    t->is_only = header_find(m->hdr, STR("Nats-Trace-Dest")).n &&
                 is_switched_on(header_find(m->hdr, STR("Nats-Trace-Only")));
    t->encoding = keep(t, header_find(m->hdr, STR("Accept-Encoding")));
    write_request(m, msg_bytes, &t->request);
    e->has_peer = true;
    set_peer(t, e, o->speaker);
    e->account = keep(t, str_of(o->account->name));
    e->subject = keep(t, m->subject);
    return t;
}

void trace_fail(struct trace *t, struct str error)
{
    t->events[0].error = keep(t, error);
}

void trace_mapping(struct trace *t, struct str to)
{
    struct trace_event *e = add(t, "sm");

    if (e) {
        e->to = keep(t, to);
    }
}

void trace_service(struct trace *t, const struct account *to, struct str from, struct str subject)
{
    struct trace_event *e = add(t, "si");

    if (e) {
        e->account = keep(t, str_of(to->name));
        e->from = keep(t, from);
        e->to = keep(t, subject);
    }
}

void trace_stream(struct trace *t, const struct account *to, struct str subject, bool tells)
{
    struct trace_event *e = add(t, "se");

    t->stage.account = to;
    t->stage.is_muted = !tells;
    if (e) {
        e->account = keep(t, str_of(to->name));
        e->to = keep(t, subject);
    }
}

void trace_egress(struct trace *t, const struct sub *s, const struct peer_ops *ops,
                  const char *error)
{
    struct trace_event *e = t->stage.is_muted ? NULL : add(t, "eg");

    if (!e) {
        return;
    }
    e->has_peer = true;
    e->asked = s->owner;
    e->ops = ops;
    if (t->stage.account != t->account) {
        e->account = keep(t, str_of(t->stage.account->name));
    }
    e->sub = keep(t, sub_subject(s));
    e->queue = keep(t, sub_queue(s));
    e->error = str_of(error ? error : "");
}

/* ---- the document */

static void add_time(struct json *j, const char *key, int64_t wall_ns)
{
    char text[CLOCK_RFC3339_MAX];
    size_t n = clock_format_rfc3339(wall_ns, text);

    json_add_str(j, key, (struct str){.p = text, .n = n});
}

static void write_event(const struct trace_event *e, struct json *j)
{
    json_open_object(j);
    json_add_str(j, "type", str_of(e->type));
    add_time(j, "ts", e->wall_ns);
    if (e->has_peer) {
        json_add_uint(j, "kind", e->kind);
        json_add_uint(j, "cid", e->id);
        json_opt_str(j, "name", e->name);
    }
    json_opt_str(j, "acc", e->account);
    json_opt_str(j, "subj", e->subject);
    json_opt_str(j, "from", e->from);
    if (e->to.p) { // a mapping to nowhere has an empty one
        json_add_str(j, "to", e->to);
    }
    json_opt_str(j, "sub", e->sub);
    json_opt_str(j, "queue", e->queue);
    json_opt_str(j, "error", e->error);
    json_close_object(j);
}

static void write_members(const struct trace *t, struct json *j)
{
    json_key(j, "request");
    json_raw(j, buf_str(&t->request));
    json_key(j, "events");
    json_open_array(j);
    for (size_t i = 0; i < t->n_events; i++) {
        write_event(&t->events[i], j);
    }
    json_close_array(j);
}

void trace_write(const struct trace *t, struct buf *json)
{
    struct json j = json_to(json);

    json_open_object(&j);
    write_members(t, &j);
    json_close_object(&j);
}

/* ---- the round */

/* Without a system account nobody speaks for the server. */
static bool may_speak(const struct account *a)
{
    const struct links *links = atomic_load_explicit(&a->links, memory_order_acquire);

    return !links || links->tenancy->system;
}

static void publish_encoded(struct trace *t, struct str json)
{
    enum content_coding coding = content_coding_find(t->encoding);
    struct buf hdr = {0};
    struct buf payload = {0};

    content_coding_write_header(coding, &hdr);
    content_coding_encode(coding, json, &payload);
    deliver_own_with(t->home, t->account, t->dest, buf_str(&hdr), buf_str(&payload));
    buf_deinit(&hdr);
    buf_deinit(&payload);
}

static void publish(struct trace *t)
{
    struct buf json = {0};
    struct json j = json_to(&json);

    json_open_object(&j);
    json_key(&j, "server");
    server_block_write(t->home->server, &j);
    write_members(t, &j);
    json_close_object(&j);
    if (t->encoding.n) {
        publish_encoded(t, buf_str(&json));
    } else {
        deliver_own(t->home, t->account, t->dest, buf_str(&json));
    }
    buf_deinit(&json);
}

/* Asks those that live here. One that is gone stays nameless. */
static void ask_here(struct trace *t, struct shard *here)
{
    for (size_t i = 0; i < t->n_events; i++) {
        struct trace_event *e = &t->events[i];

        if (e->asked == HANDLE_NONE || handle_worker(e->asked) != here->index) {
            continue;
        }
        struct conn *conn = handle_find(&here->table, e->asked);

        if (conn) {
            set_peer(t, e, e->ops->speaker(conn));
        }
        e->asked = HANDLE_NONE;
    }
}

/* The worker of somebody who is still to be asked; else the one that publishes. */
static unsigned next_stop(const struct trace *t)
{
    for (size_t i = 0; i < t->n_events; i++) {
        if (t->events[i].asked != HANDLE_NONE) {
            return handle_worker(t->events[i].asked);
        }
    }
    return t->home->shard->index;
}

static struct trace *take_first(struct delivery *home)
{
    struct trace *t = home->first_trace;

    home->first_trace = t->next;
    home->n_traces--;
    return t;
}

/* All but those that wait, and what comes after them. */
static void publish_complete(struct delivery *home)
{
    while (home->first_trace && home->first_trace->is_complete) {
        struct trace *t = take_first(home);

        if (may_speak(t->account)) {
            publish(t);
        }
        trace_free(t);
    }
}

static void go_on(struct trace *t, struct shard *here);

static void arrive(struct worker *w, struct inbox_item *item)
{
    struct trace *t = CONTAINER_OF(item, struct trace, item);

    go_on(t, t->home->shard->all[w->index]);
}

static void go_on(struct trace *t, struct shard *here)
{
    ask_here(t, here);
    unsigned next = next_stop(t);

    if (next == here->index) {
        t->is_complete = true;
        publish_complete(t->home);
        return;
    }
    t->item.run = arrive;
    worker_post(here->all[next]->worker, &t->item);
}

void trace_send(struct trace *take_t, struct delivery *home)
{
    if (home->n_traces == TRACE_MAX_WAITING) {
        trace_free(take_t);
        return;
    }
    take_t->home = home;
    if (home->first_trace) {
        home->last_trace->next = take_t;
    } else {
        home->first_trace = take_t;
    }
    home->last_trace = take_t;
    home->n_traces++;
    go_on(take_t, home->shard);
}

void trace_drop_all(struct delivery *home)
{
    while (home->first_trace) {
        trace_free(take_first(home));
    }
}

void trace_free(struct trace *t)
{
    if (t) {
        buf_deinit(&t->request);
        arena_deinit(&t->strings);
        mem_free(t->events);
        mem_free(t);
    }
}
