/* SPDX-License-Identifier: Apache-2.0 */
/* One request is answered after the other, so whoever asks for several things gets them in order;
 * but a service that answers at once does not wait for one that does not, nor the system account
 * for all that others ask. What waits is bounded; when too many answers are on their way nothing is
 * answered. */
#include "system/request.h"

#include "base/attr.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "broker/account.h"
#include "broker/deliver.h"
#include "broker/msg_origin.h"
#include "broker/peer.h"
#include "broker/server_block.h"
#include "broker/sub.h"
#include "conn/handle.h"
#include "io/worker.h"
#include "monitor/monitor.h"
#include "monitor/query.h"
#include "proto/header.h"
#include "proto/subject.h"
#include "system/filter.h"
#include "system/services.h"
#include "system/system.h"

#define MAX_WAITING_BYTES (4u << 20)
#define MIN_BYTES 1024u // that one is counted as: it costs time, not only room
#define PER_TURN 16     // requests of each list; control has other things to do

/* ---- answering ---- */

static void run(struct request_queue *q);

static void on_turn(struct worker *w, struct inbox_item *item)
{
    struct request_queue *q = CONTAINER_OF(item, struct request_queue, turn);

    (void)w;
    q->is_turn_due = false;
    run(q);
}

static void on_room(void *arg)
{
    struct system *s = arg;

    run(&s->requests);
}

static void append(struct request_list *l, struct request *r)
{
    *(l->first ? &l->last->next : &l->first) = r;
    l->last = r;
}

static void serve_next(struct request_queue *q, struct request_list *l)
{
    struct request *r = l->first;

    l->first = r->next;
    if (l != &q->quick) {
        q->current = r;
    }
    atomic_fetch_sub(&q->n_bytes, r->n_bytes);
    r->service->serve(r);
}

static bool has_room(struct system *s)
{
    if (!outbox_has_room(&s->outbox)) {
        outbox_await_room(&s->outbox); // calls on_room
        return false;
    }
    return true;
}

/* @return  the list whose turn it is, of those that wait; NULL: none does */
static struct request_list *choose(struct request_queue *q)
{
    bool is_imported = q->imported.first && (q->is_imported_next || !q->own.first);
    struct request_list *l = is_imported ? &q->imported : &q->own;

    q->is_imported_next = !is_imported;
    return l->first ? l : NULL;
}

/* Some of each list, so that neither keeps the other from being served, nor both together control
 * from everything else. */
static void run(struct request_queue *q)
{
    struct system *s = CONTAINER_OF(q, struct system, requests);
    int n_quick = 0;
    int n = 0;

    if (q->is_running || q->is_turn_due || s->monitor->is_stopping) {
        return;
    }
    q->is_running = true;
    for (; q->quick.first && n_quick < PER_TURN && has_room(s); n_quick++) {
        serve_next(q, &q->quick);
    }
    for (struct request_list *l;
         n < PER_TURN && !q->current && (l = choose(q)) != NULL && has_room(s); n++) {
        serve_next(q, l);
    }
    q->is_running = false;
    if (n_quick == PER_TURN || n == PER_TURN) {
        q->is_turn_due = true;
        worker_defer(s->monitor->control, &q->turn);
    }
}

static void request_free(struct request *r)
{
    if (r->query) {
        query_free(r->query);
    }
    buf_deinit(&r->body);
    mem_free(r);
}

void request_drop(struct request *r)
{
    struct request_queue *q = &r->system->requests;

    if (r == q->current) {
        q->current = NULL;
    }
    request_free(r);
    run(q);
}

/* Nothing follows SHUTDOWN: the worker that delivers may have ended. */
static void post(const struct request *r, struct str hdr, struct str text)
{
    if (r->reply.n && !r->system->monitor->is_stopping) {
        outbox_post(&r->system->outbox, r->system->account, r->reply, hdr, text);
    }
}

void request_reply(struct request *r, struct str text)
{
    post(r, (struct str){0}, text);
    request_drop(r);
}

static void open_envelope(const struct request *r, struct json *j)
{
    json_open_object(j);
    json_key(j, "server");
    server_block_write(r->system->monitor->block, j);
}

static void post_encoded(const struct request *r, struct str text)
{
    struct buf hdr = {0};
    struct buf encoded = {0};

    content_coding_write_header(r->coding, &hdr);
    content_coding_encode(r->coding, text, &encoded);
    post(r, buf_str(&hdr), buf_str(&encoded));
    buf_deinit(&hdr);
    buf_deinit(&encoded);
}

void request_answer(struct request *r, struct str data)
{
    struct buf text = {0};
    struct json j = json_to(&text);

    open_envelope(r, &j);
    if (data.n) {
        json_key(&j, "data");
        json_raw(&j, data);
    }
    json_close_object(&j);
    if (r->accepts_coding) {
        post_encoded(r, buf_str(&text));
    } else {
        post(r, (struct str){0}, buf_str(&text));
    }
    buf_deinit(&text);
    request_drop(r);
}

static void write_error(struct json *j, struct str account, int code, struct str why)
{
    json_key(j, "error");
    json_open_object(j);
    json_opt_str(j, "account", account);
    json_add_int(j, "code", code);
    json_add_str(j, "description", why);
    json_close_object(j);
}

void request_fail(struct request *r, int code, struct str why, bool with_null)
{
    struct buf text = {0};
    struct json j = json_to(&text);

    open_envelope(r, &j);
    if (with_null) {
        json_key(&j, "data");
        json_raw(&j, STR("null"));
    }
    write_error(&j, (struct str){0}, code, why);
    json_close_object(&j);
    request_reply(r, buf_str(&text));
    buf_deinit(&text);
}

void request_fail_account(struct request *r, int code, struct str why)
{
    struct buf text = {0};
    struct json j = json_to(&text);

    open_envelope(r, &j);
    write_error(&j, request_account(r), code, why);
    json_close_object(&j);
    request_reply(r, buf_str(&text));
    buf_deinit(&text);
}

bool request_is_meant(struct request *r)
{
    bool is_meant;
    struct buf why = {0};

    if (!filter_read(r->payload, r->system->monitor->facts, &is_meant, &why)) {
        request_fail(r, 400, buf_str(&why), false);
        buf_deinit(&why);
        return false;
    }
    if (!is_meant) {
        request_drop(r);
    }
    return is_meant;
}

struct str request_account(const struct request *r)
{
    struct str rest = r->subject;
    struct str token = {0};

    for (int i = 0; i < 4; i++) { // "$SYS.REQ.ACCOUNT.A.…"
        token = subject_next_token(&rest);
    }
    return token;
}

/* ---- arriving ---- */

static void on_request(struct worker *w, struct inbox_item *item)
{
    struct request *r = CONTAINER_OF(item, struct request, item);
    struct system *s = r->system;
    struct request_queue *q = &s->requests;

    (void)w;
    if (s->monitor->is_stopping) {
        request_free(r);
        return;
    }
    append(r->service->overtakes ? &q->quick : r->is_imported ? &q->imported : &q->own, r);
    run(q);
}

/** What a subscription is for. */
struct entry {
    struct system *system;
    const struct service *service;
};

static struct request *request_new(const struct entry *e, const struct msg *m)
{
    size_t n_bytes = m->subject.n + m->reply.n + m->payload.n;
    struct str accept = header_find(m->hdr, STR("Accept-Encoding"));
    struct request *r = mem_alloc(sizeof(*r) + n_bytes);
    char *at = (char *)(r + 1);

    *r = (struct request){.item.run = on_request,
                          .system = e->system,
                          .service = e->service,
                          .n_bytes = MIN_BYTES + n_bytes,
                          .is_imported = m->origin->service != NULL,
                          .accepts_coding = accept.n > 0,
                          .coding = content_coding_find(accept)};
    r->subject = str_put(&at, m->subject);
    r->reply = str_put(&at, m->reply);
    r->payload = str_put(&at, m->payload);
    return r;
}

static void drop(struct request_queue *q)
{
    static struct log_rate rate;
    uint64_t n = atomic_fetch_add(&q->n_dropped, 1) + 1;

    log_limited(&rate, LOG_WRN,
                "Dropped requests to the system account, %llu so far: too many at once",
                (unsigned long long)n);
}

/* Other accounts have no more than half of it, whatever they ask. */
static bool is_room_for(struct request_queue *q, const struct msg *m)
{
    size_t max = m->origin->service ? MAX_WAITING_BYTES / 2 : MAX_WAITING_BYTES;
    size_t n_bytes = atomic_load(&q->n_bytes);

    return n_bytes == 0 || n_bytes + m->payload.n < max;
}

/* Thread: the requestor's worker. */
static size_t handle(struct delivery *d, struct account *a, struct msg *m, struct sub *s,
                     uint64_t except)
{
    const struct entry *e = sub_record(s, sizeof(*e));
    struct request_queue *q = &e->system->requests;

    (void)d;
    (void)a;
    (void)except;
    if (m->reply.n == 0 && !e->service->acts_without_reply) {
        return 1;
    }
    if (!is_room_for(q, m)) {
        drop(q);
        return 0; // whoever asks is told that nobody is there
    }
    struct request *r = request_new(e, m);

    atomic_fetch_add(&q->n_bytes, r->n_bytes);
    worker_post(e->system->monitor->control, &r->item);
    return 1;
}

static void release(struct sub *s)
{
    mem_free(sub_record(s, sizeof(struct entry)));
}

static const struct peer_ops request_ops = {
    .kind = "System", .write_msg = deliver_afterwards, .handle = handle, .release = release};

struct sub *request_sub_new(struct system *s, const struct service *service, struct str subject)
{
    struct sub *sub = sub_new_behind(sizeof(struct entry), HANDLE_NONE, &request_ops, subject,
                                     (struct str){0}, (struct str){0});
    struct entry *e = sub_record(sub, sizeof(*e));

    *e = (struct entry){.system = s, .service = service};
    return sub;
}

void request_queue_init(struct system *s)
{
    s->requests.turn.run = on_turn;
    s->outbox.on_room = on_room;
    s->outbox.room_arg = s;
}

static void free_list(const struct request_list *l)
{
    struct request *next;

    for (struct request *r = l->first; r; r = next) {
        next = r->next;
        request_free(r);
    }
}

void request_queue_deinit(struct system *s)
{
    struct request_queue *q = &s->requests;

    free_list(&q->own);
    free_list(&q->imported);
    free_list(&q->quick);
    if (q->current) {
        request_free(q->current);
    }
    *q = (struct request_queue){0};
}
