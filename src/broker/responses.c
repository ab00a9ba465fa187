/* SPDX-License-Identifier: Apache-2.0 */
/* A response that is outstanding is listed three times: by its reply subject with the account that
 * owes it, in the order in which they time out there, and by the reply that the requestor waits for
 * with the account of that one. The first two go together; which end comes first, takes it out of
 * them and has the say. Lock order: the owing account's, the index; the other one is held alone. */
#include "broker/responses.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "base/base62.h"
#include "base/mem.h"
#include "broker/account.h"
#include "broker/awaited.h"
#include "broker/deliver.h"
#include "broker/index.h"
#include "broker/msg_origin.h"
#include "broker/party.h"
#include "broker/peer.h"
#include "broker/response_table.h"
#include "broker/service_import.h"
#include "broker/trace.h"
#include "io/timer.h"
#include "io/worker.h"
#include "proto/header.h"

/* "_R_.xxxxxx." */
#define PREFIX_BYTES (4 + RESPONSE_TOKEN_BYTES + 1)
/* … and "yyyyyy". */
#define SUBJECT_BYTES (PREFIX_BYTES + RESPONSE_TOKEN_BYTES)

/* Read at once; the kernel gives so many bytes without a signal getting in between. */
#define SECRETS 32u

/* That are late, and given up in one turn. */
#define SWEEP_MOST 1000u

struct responses {
    struct account *account;
    struct buf tail; // of subjects of what is measured: ".hash.T"
    char prefix[PREFIX_BYTES];
    pthread_mutex_t lock;
    struct response_table table; // guarded by: lock
    uint64_t secrets[SECRETS];   // guarded by: lock. Random numbers in stock
    unsigned n_secrets;          // guarded by: lock
    struct delivery *sweeper;    // of the worker that has the timer: the first that awaits
    int64_t sweep_ns;            // guarded by: lock. What the timer is, or is about to be, set to
    struct timer sweep;          // only for that worker
    struct awaited awaited;      // by clients of the account
    _Atomic uint64_t n_dropped;  // of those, as there were too many
};

/* ---- ends */

static void report(const struct response *p, struct delivery *d, enum latency_status status,
                   const struct party *responder)
{
    if (p->probe) {
        service_import_report(service_import_of(p->service), d, p->probe, status, responder);
    }
}

/* Takes it out, if nobody else was quicker. The caller holds a reference. */
static bool end(struct response *p)
{
    struct responses *r = p->of;

    pthread_mutex_lock(&r->lock);
    bool was_listed = p->is_listed;
    if (was_listed) {
        response_table_remove(&r->table, p);
    }
    pthread_mutex_unlock(&r->lock);
    if (was_listed) {
        awaited_remove(&p->requestor->responses->awaited, p);
        sub_unref(response_sub(p));
    }
    return was_listed;
}

/* The first of those whose time is over, with a reference. */
static struct response *find_overdue(struct responses *r, int64_t now_ns)
{
    pthread_mutex_lock(&r->lock);
    struct response *p = response_table_overdue(&r->table, now_ns);
    if (p) {
        sub_ref(response_sub(p));
    }
    pthread_mutex_unlock(&r->lock);
    return p;
}

/* On the worker that has the timer. */
static void reset_sweep(void *arg)
{
    struct responses *r = arg;
    struct worker *w = r->sweeper->shard->worker;

    pthread_mutex_lock(&r->lock);
    r->sweep_ns = response_table_due(&r->table);
    if (r->sweep_ns == INT64_MAX) {
        worker_clear_timer(w, &r->sweep);
    } else {
        worker_set_timer(w, &r->sweep, r->sweep_ns);
    }
    pthread_mutex_unlock(&r->lock);
}

static void sweep(struct timer *t)
{
    struct responses *r = CONTAINER_OF(t, struct responses, sweep);
    struct delivery *d = r->sweeper;
    struct response *p;

    for (unsigned i = 0; i < SWEEP_MOST && (p = find_overdue(r, clock_now_ns())) != NULL; i++) {
        if (end(p)) {
            report(p, d, LATENCY_SERVICE_TIMEOUT, NULL);
        }
        sub_unref(response_sub(p));
    }
    reset_sweep(r);
}

/* ---- beginnings; with the lock held */

/* Nobody may guess what others were given, so these come from the kernel, some at a time. */
static void draw_token(struct responses *r, char *out)
{
    do {
        if (r->n_secrets == 0) {
            ENSURE(getrandom(r->secrets, sizeof(r->secrets), 0) == sizeof(r->secrets));
            r->n_secrets = ARRAY_SIZE(r->secrets);
        }
        base62_write(out, RESPONSE_TOKEN_BYTES, r->secrets[--r->n_secrets]);
    } while (response_table_find(&r->table, out));
}

static void keep_sweep(struct responses *r, struct delivery *d, int64_t due_ns)
{
    if (due_ns >= r->sweep_ns) {
        return;
    }
    r->sweep_ns = due_ns;
    if (r->sweeper == d) {
        worker_set_timer(d->shard->worker, &r->sweep, due_ns);
    } else {
        worker_call(r->sweeper->shard->worker, reset_sweep, r);
    }
}

static void list(struct responses *r, struct delivery *d, struct response *p, int64_t threshold_ns)
{
    int64_t now_ns = clock_now_ns();

    draw_token(r, p->token);
    response_table_add(&r->table, p, threshold_ns, now_ns);
    keep_sweep(r, d, now_ns + threshold_ns);
}

/* What comes behind the token. */
static struct str tail_of(const struct responses *r, const struct response *p)
{
    return p->probe ? buf_str(&r->tail) : (struct str){0};
}

/* "_R_.xxxxxx.yyyyyy", and a tail if it is measured: the responder's server needs to know. */
static void write_subject(const struct responses *r, const struct response *p, struct buf *out)
{
    out->n = 0;
    buf_add(out, (struct str){.p = r->prefix, .n = PREFIX_BYTES});
    buf_add(out, (struct str){.p = p->token, .n = RESPONSE_TOKEN_BYTES});
    buf_add(out, tail_of(r, p));
}

/* One of a requestor's that makes room for another. @param take_p  may be NULL */
static void drop(struct response *take_p, struct responses *requestor)
{
    if (take_p) {
        if (end(take_p)) {
            atomic_fetch_add_explicit(&requestor->n_dropped, 1, memory_order_relaxed);
        }
        sub_unref(response_sub(take_p));
    }
}

void responses_await(struct responses *r, struct delivery *d, const struct response_terms *terms,
                     struct buf *out)
{
    struct responses *requestor = terms->requestor->responses;
    struct response *p = response_new(r, terms);

    sub_ref(response_sub(p)); // ours, until it is all written
    drop(awaited_add(&requestor->awaited, p), requestor);
    pthread_mutex_lock(&r->lock);
    if (!r->sweeper) {
        r->sweeper = d;
        index_add(r->account->index, sub_behind(r, sizeof(*r)));
    }
    list(r, d, p, terms->threshold_ns);
    pthread_mutex_unlock(&r->lock);
    write_subject(r, p, out);
    sub_unref(response_sub(p));
}

void responses_draw_subject(struct responses *r, struct buf *out)
{
    struct response unused = {0};

    pthread_mutex_lock(&r->lock);
    draw_token(r, unused.token);
    pthread_mutex_unlock(&r->lock);
    write_subject(r, &unused, out);
}

/* ---- responses */

/* With the lock held. The subject is in our index below the prefix. */
static struct response *find_by_subject(const struct responses *r, struct str subject)
{
    if (subject.n < SUBJECT_BYTES) {
        return NULL;
    }
    struct str tail = {.p = subject.p + SUBJECT_BYTES, .n = subject.n - SUBJECT_BYTES};
    struct response *p = response_table_find(&r->table, subject.p + PREFIX_BYTES);

    return p && str_equal(tail, tail_of(r, p)) ? p : NULL;
}

/* Is it the last one to a request? */
static bool is_last(const struct response *p, const struct msg *m)
{
    return p->type == RESPONSE_SINGLETON || (m->payload.n == 0 && m->hdr.n == 0);
}

/* Finds what a response is for, with a reference; one that may be followed by others is as good as
 * new then. */
static struct response *find_for(struct responses *r, struct str subject)
{
    int64_t now_ns = clock_now_ns();

    pthread_mutex_lock(&r->lock);
    struct response *p = find_by_subject(r, subject);
    if (p && response_is_overdue(p, now_ns)) {
        p = NULL;
    }
    if (p) {
        sub_ref(response_sub(p));
    }
    if (p && p->type != RESPONSE_SINGLETON) {
        response_table_renew(p, now_ns);
    }
    pthread_mutex_unlock(&r->lock);
    return p;
}

static void report_response(const struct response *p, struct delivery *d, const struct msg *m)
{
    struct party responder = {0};

    if (!p->probe) {
        return;
    }
    if (m->origin->speaker) {
        m->origin->speaker->ops->tell(m->origin->speaker, &responder);
    }
    responder.account = str_of(m->origin->account->name);
    report(p, d, LATENCY_OK, &responder);
}

/* A response may ask in return. */
static struct str await_answer(const struct response *p, struct delivery *d, struct str reply,
                               struct hop *h)
{
    const struct response_terms terms = {.requestor = p->of->account,
                                         .reply = reply,
                                         .type = p->type,
                                         .threshold_ns = RESPONSES_THRESHOLD_NS};

    if (reply.n) {
        responses_await(p->requestor->responses, d, &terms, &h->reply);
        reply = buf_str(&h->reply);
    }
    return reply;
}

/* What is traced in this account is not in the other one. @return  whether it goes on at all */
static bool end_trace(const struct response *p, struct msg *response, struct trace *t,
                      struct hop *h)
{
    trace_service(t, p->requestor, response->subject, sub_subject(response_sub(p)));
    if (t->is_only) {
        return false;
    }
    h->traced.n = 0;
    header_replace(response->hdr, STR("Nats-Trace-Dest"), TRACE_DISABLED, &h->traced);
    response->hdr = buf_str(&h->traced);
    response->wire = (struct str){0};
    return true;
}

static size_t hand_over(const struct response *p, struct delivery *d, const struct msg *m,
                        uint64_t except, struct hop *h)
{
    const struct msg_origin origin = {
        .speaker = m->origin->speaker,
        .account = m->origin->account,
        .before = m->origin,
        .export = p->service ? service_import_of(p->service)->import->export : NULL};
    struct match_hint hint = {0};
    struct msg response = *m;

    if (UNLIKELY(m->origin->trace != NULL) && !end_trace(p, &response, m->origin->trace, h)) {
        return 1;
    }
    response.origin = &origin;
    response.subject = deliver_map_hop(d, p->requestor, sub_subject(response_sub(p)), &h->mapped);
    response.reply = await_answer(p, d, m->reply, h);
    if (m->reply.n || !m->origin->speaker) { // the server's own have a form of their own
        response.wire = response.wire_bare = (struct str){0};
    }
    return deliver(d, p->requestor, &response, except, &hint);
}

/* Whoever was too late, or guessed, learns nothing of it. */
static size_t handle(struct delivery *d, struct account *a, struct msg *m, struct sub *s,
                     uint64_t except)
{
    struct responses *r = a->responses;
    struct response *p = find_for(r, m->subject);
    struct hop *h = p ? deliver_enter_hop(d) : NULL;

    (void)s;
    if (h && (!is_last(p, m) || end(p))) {
        bool is_delivered = hand_over(p, d, m, except, h) > 0;

        if (is_last(p, m)) {
            report_response(p, d, m);
        } else if (!is_delivered) {
            end(p);
        }
    }
    if (h) {
        deliver_leave_hop(d);
    }
    if (p) {
        sub_unref(response_sub(p));
    }
    return 1;
}

void responses_cancel(struct responses *r, struct delivery *d, struct str reply)
{
    struct response *p = find_for(r, reply);

    if (p) {
        if (end(p)) {
            report(p, d, LATENCY_UNAVAILABLE, NULL);
        }
        sub_unref(response_sub(p));
    }
}

/** A report that waits for the end of the delivery that brought it about. */
struct late_report {
    struct inbox_item item;
    struct delivery *d;
    struct response *response; // a reference
};

static void on_late_report(struct worker *w, struct inbox_item *item)
{
    struct late_report *l = CONTAINER_OF(item, struct late_report, item);

    (void)w;
    report(l->response, l->d, LATENCY_REQUEST_TIMEOUT, NULL);
    sub_unref(response_sub(l->response));
    mem_free(l);
}

/* A subscription may go while a message is being delivered, as that was its last one: nothing else
 * may be matched then (broker/match.h). */
static void report_later(struct response *p, struct delivery *d)
{
    if (p->probe) {
        struct late_report *l = mem_alloc(sizeof(*l));

        sub_ref(response_sub(p));
        *l = (struct late_report){.item.run = on_late_report, .d = d, .response = p};
        worker_post(d->shard->worker, &l->item);
    }
}

/* Where another subscription takes all that this one took, nobody has stopped waiting. */
void responses_unsubscribed(struct responses *r, struct delivery *d, struct str subject)
{
    struct match *m;

    if (LIKELY(atomic_load(&r->awaited.n) == 0) ||
        index_covers(r->account->index, d->cache.reader, subject)) {
        return;
    }
    m = awaited_find(&r->awaited, subject);
    for (uint32_t i = 0; m && i < m->n_subs; i++) {
        struct response *p = response_of(m->subs[i]);

        if (!index_has_interest(r->account->index, d->cache.reader, sub_subject(response_sub(p))) &&
            end(p)) {
            report_later(p, d);
        }
    }
    match_free(m);
}

/* ---- life */

static void release(struct sub *s)
{
    struct responses *r = sub_record(s, sizeof(struct responses));

    awaited_deinit(&r->awaited);
    response_table_deinit(&r->table);
    buf_deinit(&r->tail);
    pthread_mutex_destroy(&r->lock);
    mem_free(r);
}

static const struct peer_ops responses_ops = {.kind = "Account",
                                              .write_msg = deliver_afterwards,
                                              .handle = handle,
                                              .tells_traces = true,
                                              .release = release};

struct responses *responses_new(struct account *a, const char *server_hash)
{
    char subject[PREFIX_BYTES + 1] = "_R_.";
    uint64_t random;
    struct responses *r;

    ENSURE(getrandom(&random, sizeof(random), 0) == sizeof(random));
    base62_write(subject + 4, RESPONSE_TOKEN_BYTES, random);
    memcpy(subject + PREFIX_BYTES - 1, ".>", 2);
    struct str text = {.p = subject, .n = sizeof(subject)};
    struct sub *s = sub_new_behind(sizeof(struct responses), HANDLE_NONE, &responses_ops, text,
                                   (struct str){0}, (struct str){0});

    r = sub_record(s, sizeof(struct responses));
    memcpy(r->prefix, subject, PREFIX_BYTES);
    r->account = a;
    buf_printf(&r->tail, ".%s.T", server_hash);
    r->sweep.fire = sweep;
    r->sweep_ns = INT64_MAX;
    pthread_mutex_init(&r->lock, NULL);
    awaited_init(&r->awaited);
    return r;
}

/* The one that has been waited for longest, with a reference. */
static struct response *find_oldest(struct responses *r)
{
    pthread_mutex_lock(&r->lock);
    struct response *p = response_table_oldest(&r->table);
    if (p) {
        sub_ref(response_sub(p));
    }
    pthread_mutex_unlock(&r->lock);
    return p;
}

void responses_clear(struct responses *r)
{
    uint64_t n = responses_count(r); // others may add more at the same time
    struct response *p;

    while (n-- && (p = find_oldest(r)) != NULL) {
        end(p);
        sub_unref(response_sub(p));
    }
}

void responses_free(struct responses *r)
{
    sub_unref(sub_behind(r, sizeof(*r)));
}

static void tell(const struct responses *r, const struct response *p,
                 void (*fn)(void *arg, const struct response_info *info), void *arg)
{
    const struct import *import = p->service ? service_import_of(p->service)->import : NULL;
    struct buf subject = {0};
    struct response_info info = {.requestor = p->requestor, .reply = sub_subject(response_sub(p))};

    write_subject(r, p, &subject);
    info.subject = buf_str(&subject);
    if (import) {
        info.is_shared = import->share;
    }
    if (import && p->probe) {
        info.latency = &import->export->latency;
        info.trace_headers = latency_headers(p->probe);
    }
    fn(arg, &info);
    buf_deinit(&subject);
}

void responses_list(struct responses *r, size_t most,
                    void (*fn)(void *arg, const struct response_info *info), void *arg)
{
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->table.n_queues; i++) {
        for (const struct response *p = response_table_first(&r->table, i); p && most;
             p = p->next) {
            tell(r, p, fn, arg);
            most--;
        }
    }
    pthread_mutex_unlock(&r->lock);
}

uint64_t responses_count(const struct responses *r)
{
    return atomic_load_explicit(&r->table.n, memory_order_relaxed);
}

uint64_t responses_count_awaited(const struct responses *r)
{
    return atomic_load_explicit(&r->awaited.n, memory_order_relaxed);
}

uint64_t responses_count_dropped(const struct responses *r)
{
    return atomic_load_explicit(&r->n_dropped, memory_order_relaxed);
}
