/* SPDX-License-Identifier: Apache-2.0 */
/* SUB and UNSUB (spec 01 §14). A subscription is in the client's table and in the account's index,
 * each with a reference of its own. */
#include "auth/login.h"
#include "base/mem.h"
#include "base/quote.h"
#include "broker/account.h"
#include "broker/deliver.h"
#include "broker/index.h"
#include "broker/responses.h"
#include "broker/rights.h"
#include "broker/stream_import.h"
#include "broker/sub.h"
#include "client/client.h"
#include "client/client_options.h"
#include "io/worker.h"
#include "proto/subject.h"

#define RELEASED_PER_SUB 128u // [bytes] of memory that it took, with its share of the index

/* Sends "Permissions Violation for Subscription to …". */
static void refuse_sub(struct client *c, const struct op *op, const char *suffix)
{
    struct buf text = {0};

    buf_add(&text, STR("Permissions Violation for Subscription to "));
    quote_go(&text, op->subject);
    if (op->queue.n) {
        buf_add(&text, STR(" using queue "));
        quote_go(&text, op->queue);
    }
    buf_printf(&text, "%s", suffix);
    client_send_error(c, "%.*s", STR_ARG(buf_str(&text)));
    client_log(c, LOG_ERR, "Subscription Violation - %.*s", STR_ARG(buf_str(&text)));
    buf_deinit(&text);
}

/* Permissions forbid it: the same to the client, in other words to the log. */
static void deny_sub(struct client *c, const struct op *op)
{
    struct buf subject = {0};
    struct buf text = {0};

    quote_go(&subject, op->subject);
    buf_printf(&text, "%.*s", STR_ARG(buf_str(&subject)));
    if (op->queue.n) {
        buf_add(&text, STR(" using queue "));
        quote_go(&text, op->queue);
    }
    client_send_error(c, "Permissions Violation for Subscription to %.*s", STR_ARG(buf_str(&text)));
    text.n = subject.n;
    if (op->queue.n) {
        buf_add(&text, STR(", Queue: "));
        quote_go(&text, op->queue);
    }
    client_log(c, LOG_ERR, "Subscription Violation - Subject %.*s, SID %.*s",
               STR_ARG(buf_str(&text)), STR_ARG(op->sid));
    buf_deinit(&subject);
    buf_deinit(&text);
}

/* How many subscriptions the client may have; less than 0: any number. */
static int64_t max_subs(const struct client *c)
{
    int64_t of_server = c->home->options->max_subscriptions;
    int64_t of_account = c->user ? c->user->max_subscriptions : -1;

    if (of_server <= 0) {
        return of_account;
    }
    return of_account >= 0 && of_account < of_server ? of_account : of_server;
}

/* The checks in the order of the reference; false: refused, and the client was told. */
static bool may_subscribe(struct client *c, const struct op *op)
{
    const struct client_options *o = c->home->options;
    int64_t max = max_subs(c);

    if (c->rights && !perms_may_subscribe(c->rights->perms, op->subject, op->queue)) {
        deny_sub(c, op);
        return false;
    }
    if (str_equal(op->queue, STR("_sys_"))) {
        refuse_sub(c, op, "");
        return false;
    }
    if (o->max_sub_tokens > 0 && subject_count_tokens(op->subject) > o->max_sub_tokens) {
        struct op plain = *op;

        plain.queue = (struct str){0};
        refuse_sub(c, &plain, ", too many tokens");
        return false;
    }
    if (max >= 0 && sids_count(&c->sids) >= max) {
        client_log(c, LOG_ERR, "maximum subscriptions exceeded");
        client_send_error(c, "maximum subscriptions exceeded");
        return false;
    }
    return true;
}

void client_sub(struct client *c, struct op *op)
{
    c->last_active_ns = c->conn.shard->worker->now_ns;
    if (!may_subscribe(c, op)) {
        return;
    }
    if (!sids_find(&c->sids, op->sid)) {
        if (!subject_is_valid(op->subject)) {
            client_send_error(c, "Invalid Subject");
            return;
        }
        struct sub *s = sub_new(c->conn.handle, &client_peer_ops, op->subject, op->queue, op->sid);

        atomic_store_explicit(&s->flags, c->headers ? SUB_HEADERS : 0, memory_order_relaxed);
        if (c->rights) {
            rights_unref(sub_set_rights(s, op->subject, c->rights)); // had none
        }
        sids_add(&c->sids, s);
        index_add(c->account->index, s);
        client_import(c, s);
    }
    client_send_ok(c);
}

void client_remove_sub(struct client *c, struct sub *s)
{
    if (sids_remove(&c->sids, s)) {
        if (UNLIKELY(log_enabled(LOG_TRC))) {
            client_log(c, LOG_TRC, "<-> [DELSUB %.*s]", STR_ARG(sub_sid(s)));
        }
        index_remove(c->account->index, s);
        client_unimport(c, s);
        responses_unsubscribed(c->account->responses, c->home->delivery, sub_subject(s));
        sub_unref(s);
        shard_note_released(c->conn.shard, RELEASED_PER_SUB);
    }
}

/* First the flag, then the look at what was delivered: a delivery that another worker makes
 * meanwhile either is seen here or sees the flag. */
static void close_sub(struct client *c, struct sub *s)
{
    atomic_fetch_or(&s->flags, SUB_CLOSED);
    if (atomic_load(&s->n_delivered)) {
        c->needs_fence = true;
    }
    client_remove_sub(c, s);
}

static void answer_unsub(struct client *c)
{
    if (c->verbose) {
        client_answer(c, client_send_ok);
    }
}

/* All workers count deliveries to it one by one now, so that no number is left out. */
static void set_limit(struct client *c)
{
    struct sub *s = c->limited;

    c->limited = NULL;
    match_settle(&c->home->delivery->cache);
    atomic_store(&s->max, c->limit); // then look, as above
    if (atomic_load(&s->n_delivered) >= c->limit) {
        close_sub(c, s);
    }
    sub_unref(s);
    answer_unsub(c);
}

/* Who has seen that it is neither young nor limited may count in bursts (broker/match.c): that must
 * end first. */
static void limit_sub(struct client *c, struct sub *s, uint32_t max)
{
    bool was_limited = atomic_fetch_or(&s->flags, SUB_LIMITED) & SUB_LIMITED;

    c->limited = sub_ref(s);
    c->limit = max;
    if (was_limited || atomic_load(&s->n_delivered) < SUB_YOUNG) {
        set_limit(c);
    } else {
        index_touch(c->account->index, s);
        client_fence(c, set_limit);
    }
}

void client_unsub(struct client *c, struct op *op)
{
    c->last_active_ns = c->conn.shard->worker->now_ns;
    struct sub *s = sids_find(&c->sids, op->sid);

    if (s && op->max) {
        limit_sub(c, s, op->max);
        return;
    }
    if (s) {
        close_sub(c, s);
    }
    answer_unsub(c);
}

void client_remove_all_subs(struct client *c)
{
    uint32_t n = sids_count(&c->sids);
    struct sub **subs = sids_take_all(&c->sids);

    if (!subs) {
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        atomic_fetch_or(&subs[i]->flags, SUB_CLOSED);
        c->needs_fence = c->needs_fence || atomic_load(&subs[i]->n_delivered);
    }
    index_remove_all(c->account->index, subs, n);
    for (uint32_t i = 0; i < n; i++) {
        client_unimport(c, subs[i]);
        responses_unsubscribed(c->account->responses, c->home->delivery, sub_subject(subs[i]));
    }
    shard_note_released(c->conn.shard, (size_t)n * RELEASED_PER_SUB);
    for (uint32_t i = 0; i < n; i++) {
        if (UNLIKELY(log_enabled(LOG_TRC))) {
            client_log(c, LOG_TRC, "<-> [DELSUB %.*s]", STR_ARG(sub_sid(subs[i])));
        }
        sub_unref(subs[i]);
    }
    mem_free(subs);
}

static void update_sub(const struct client *c, struct sub *s)
{
    if (c->headers) {
        atomic_fetch_or(&s->flags, SUB_HEADERS);
    } else {
        atomic_fetch_and(&s->flags, ~SUB_HEADERS);
    }
}

static void update_import(struct client *c, struct imported *s)
{
    update_sub(c, imported_sub(s));
}

void client_update_subs(struct client *c)
{
    uint32_t at = 0;
    struct sub *s;

    while ((s = ptrset_next(&c->sids.set, &at)) != NULL) {
        update_sub(c, s);
    }
    client_each_import(c, update_import);
}
