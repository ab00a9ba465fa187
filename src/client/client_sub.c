/* SPDX-License-Identifier: Apache-2.0 */
/* SUB and UNSUB (spec 01 §14). A subscription is in the client's table and in the account's index,
 * each with a reference of its own. */
#include "base/mem.h"
#include "broker/account.h"
#include "broker/deliver.h"
#include "broker/index.h"
#include "broker/sub.h"
#include "client/client.h"
#include "client/client_options.h"
#include "io/worker.h"
#include "proto/quote.h"
#include "proto/subject.h"

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

/* The checks in the order of the reference; false: refused, and the client was told. */
static bool may_subscribe(struct client *c, const struct op *op)
{
    const struct client_options *o = c->shared->options;

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
    if (o->max_subscriptions > 0 && sids_count(&c->sids) >= o->max_subscriptions) {
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
        s->born_epoch = conn_epoch(&c->conn);
        sids_add(&c->sids, s);
        index_add(c->account->index, s);
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
        sub_unref(s);
    }
}

void client_unsub(struct client *c, struct op *op)
{
    c->last_active_ns = c->conn.shard->worker->now_ns;
    struct sub *s = sids_find(&c->sids, op->sid);

    if (s) {
        /* First the limit, then the look at what was delivered: a delivery that another worker
         * makes meanwhile either is seen here or sees the limit. */
        match_settle(&c->delivery->cache);
        atomic_store(&s->max, op->max);
        if (op->max == 0 || atomic_load(&s->n_delivered) >= op->max) {
            atomic_fetch_or(&s->flags, SUB_CLOSED);
            conn_next_epoch(&c->conn);
            client_remove_sub(c, s);
        } else {
            index_touch(c->account->index, s); // deliveries to it need tickets from now on
        }
    }
    client_send_ok(c);
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
    }
    conn_next_epoch(&c->conn);
    index_remove_all(c->account->index, subs, n);
    for (uint32_t i = 0; i < n; i++) {
        if (UNLIKELY(log_enabled(LOG_TRC))) {
            client_log(c, LOG_TRC, "<-> [DELSUB %.*s]", STR_ARG(sub_sid(subs[i])));
        }
        sub_unref(subs[i]);
    }
    mem_free(subs);
}

void client_update_subs(struct client *c)
{
    uint32_t at = 0;
    struct sub *s;

    while ((s = ptrset_next(&c->sids.set, &at)) != NULL) {
        atomic_store_explicit(&s->flags, c->headers ? SUB_HEADERS : 0, memory_order_relaxed);
    }
}
