/* SPDX-License-Identifier: Apache-2.0 */
/* What a reload means to the clients of a worker (spec 03 E): who lost its right is told and
 * closed, what it may not be subscribed to any more is taken away, all others notice nothing. What
 * other workers may still look at is given up later (client_home_settle). */
#include "auth/login.h"
#include "auth/tls_types.h"
#include "base/mem.h"
#include "base/quota.h"
#include "base/quote.h"
#include "broker/account.h"
#include "broker/deliver.h"
#include "broker/index.h"
#include "broker/rights.h"
#include "broker/stream_import.h"
#include "broker/sub.h"
#include "client/client.h"
#include "client/client_options.h"
#include "io/tls_stream.h"

static void retire_rights(struct client_home *h, struct rights *take_rights)
{
    if (!take_rights) {
        return;
    }
    if (h->n_retired == h->retired_cap) {
        h->retired_cap = h->retired_cap ? h->retired_cap * 2 : 64;
        h->retired = mem_realloc(h->retired, h->retired_cap * sizeof(struct rights *));
    }
    h->retired[h->n_retired++] = take_rights;
}

void client_home_settle(struct client_home *h)
{
    for (size_t i = 0; i < h->n_retired; i++) {
        rights_unref(h->retired[i]);
    }
    mem_free(h->retired);
    h->retired = NULL;
    h->n_retired = h->retired_cap = 0;
    login_rules_unref(h->retired_rules);
    h->retired_rules = NULL;
}

/* ---- subscriptions under new permissions */

static void take_away(struct client *c, struct sub *s)
{
    struct buf what = {0};

    quote_go(&what, sub_subject(s));
    if (s->queue_n) {
        buf_add(&what, STR(" using queue "));
        quote_go(&what, sub_queue(s));
    }
    buf_add(&what, STR(" (sid "));
    quote_go(&what, sub_sid(s));
    buf_add_char(&what, ')');
    client_send_error(c, "Permissions Violation for Subscription to %.*s", STR_ARG(buf_str(&what)));
    buf_add(&what, STR(" for User "));
    quote_go(&what, c->user->id);
    log_info("Removed sub %.*s - not authorized", STR_ARG(buf_str(&what)));
    buf_deinit(&what);
    atomic_fetch_or(&s->flags, SUB_CLOSED);
    client_remove_sub(c, s);
}

/* Which of the subscriptions have to go; owned by the caller. */
static struct sub **list_denied(struct client *c, const struct perms *perms, size_t *n)
{
    struct sub **denied = NULL;
    uint32_t at = 0;

    *n = 0;
    for (struct sub *s; (s = ptrset_next(&c->sids.set, &at)) != NULL;) {
        if (perms && !perms_may_subscribe(perms, sub_subject(s), sub_queue(s))) {
            denied = mem_realloc(denied, (*n + 1) * sizeof(struct sub *));
            denied[(*n)++] = s;
        }
    }
    return denied;
}

static void change_import(struct client *c, struct imported *s)
{
    retire_rights(c->home, sub_set_rights(imported_sub(s), sub_subject(s->local), c->rights));
    index_touch(s->stream->exporter->index, imported_sub(s));
}

static void change_rights(struct client *c, struct perms *perms)
{
    struct client_home *h = c->home;
    struct sub **denied;
    uint32_t at = 0;
    size_t n;

    retire_rights(h, c->rights);
    c->rights = perms ? rights_new(perms) : NULL;
    denied = list_denied(c, perms, &n);
    for (size_t i = 0; i < n; i++) {
        take_away(c, denied[i]);
    }
    mem_free(denied);
    for (struct sub *s; (s = ptrset_next(&c->sids.set, &at)) != NULL;) {
        retire_rights(h, sub_set_rights(s, sub_subject(s), c->rights));
        index_touch(c->account->index, s);
    }
    client_each_import(c, change_import);
}

static bool are_same(const struct perms *a, const struct perms *b)
{
    return a && b ? perms_equal(a, b) : a == b;
}

/* ---- clients under new rules */

static void turn_away(struct client *c, enum close_reason reason)
{
    const struct login_verdict refusal = {.user = c->user, .reason = reason};

    client_refuse_login(c, &refusal);
}

/* @return  false: it had to go, as nobody trusts the proxy any more by which it came */
static bool follow_proxy(struct client *c)
{
    if (!c->proxy) {
        return true;
    }
    c->proxy = login_find_proxy(c->home->rules, c->proxy->nkey);
    if (!c->proxy) {
        turn_away(c, CLOSE_PROXY_NOT_TRUSTED);
    }
    return c->proxy;
}

/* @return  false: it had to go */
static bool follow_user(struct client *c, const struct login_rules *before)
{
    const struct login_user *now;
    struct perms *perms;

    switch (login_follow(before, c->home->rules, c->user, &now)) {
    case LOGIN_SAME:
        break;
    case LOGIN_GONE:
        conn_close(&c->conn, CLOSE_CLIENT_CLOSED);
        return false;
    case LOGIN_CHANGED:
        turn_away(c, CLOSE_AUTHENTICATION_VIOLATION);
        return false;
    }
    perms = now ? now->perms : NULL;
    c->user = now;
    if (!are_same(c->rights ? c->rights->perms : NULL, perms)) {
        change_rights(c, perms);
    }
    return true;
}

/* Other certificates may have been pinned: who has none of them, or no TLS, has to go. */
static bool is_unpinned(const struct client *c)
{
    const struct client_home *h = c->home;

    return h->has_new_pins && h->tls && !tls_peer_is_pinned(&c->conn.stream, h->tls);
}

/* It may begin a handshake, and there is no TLS any more. */
static bool is_stranded(const struct client *c)
{
    return !c->home->tls &&
           (c->step == CLIENT_STEP_EARLY_BYTES || c->step == CLIENT_STEP_FIRST_BYTE);
}

/* Its account may have less of everything now. @return  false: it had to go */
static bool fits_account(struct client *c, int64_t max_subs_before)
{
    int64_t max_subs = c->user ? c->user->max_subscriptions : -1;

    if (quota_take(&c->account->n_surplus)) {
        client_refuse_full(c);
        return false;
    }
    if (max_subs >= 0 && (max_subs_before < 0 || max_subs < max_subs_before) &&
        sids_count(&c->sids) >= max_subs) {
        client_refuse(c, CLOSE_MAX_SUBSCRIPTIONS_EXCEEDED, "maximum subscriptions exceeded");
        return false;
    }
    return true;
}

/* Everybody logs in anew, as far as others are told. */
static void follow(struct client *c, const struct login_rules *before)
{
    int64_t max_subs = c->user ? c->user->max_subscriptions : -1;

    if (!c->has_entered ||
        (follow_proxy(c) && follow_user(c, before) && fits_account(c, max_subs))) {
        client_limit_payload(c);
        client_review_imports(c);
        client_tell(c, CONN_RENEWED);
    }
}

static void adopt(struct conn *conn, void *arg)
{
    const struct login_rules *before = arg;
    struct client *c = client_of(conn);

    c->parser.max_line_bytes = (uint32_t)c->home->options->max_control_line;
    if (is_unpinned(c)) {
        atomic_fetch_add(&c->home->shared->n_unpinned, 1);
        conn_close(conn, CLOSE_TLS_HANDSHAKE_ERROR);
    } else if (is_stranded(c)) {
        conn_close(conn, CLOSE_TLS_HANDSHAKE_ERROR);
    } else if (quota_take(&c->home->shared->n_surplus)) {
        client_refuse(c, CLOSE_MAX_CONNECTIONS_EXCEEDED, "maximum connections exceeded");
    } else {
        follow(c, before);
    }
}

void client_home_adopt(struct client_home *h, const struct client_options *options,
                       struct login_rules *take_rules, int64_t auth_timeout_ns)
{
    struct login_rules *before = h->rules;

    h->has_new_pins = !tls_pins_type.equal(&h->options->tls.pins, &options->tls.pins);
    h->rules = NULL;
    client_home_furnish(h, options);
    client_home_admit(h, take_rules, auth_timeout_ns);
    shard_for_each(h->shard, adopt, before);
    h->retired_rules = before;
}
