/* SPDX-License-Identifier: Apache-2.0 */
/* Nobody may walk an index while others wait for it, so the list comes in three parts:
 *
 *   - what is known at once: the subscriptions of the server itself; with `test`, all that match,
 * and that is the whole list;
 *   - what the connections of the accounts have;
 *   - what stands behind subscriptions of other accounts, for the streams that they import.
 *
 * A survey tells who has any; they are then asked, some at a time. */
#include "monitor/subsz_list.h"

#include <stdio.h>

#include "base/attr.h"
#include "base/mem.h"
#include "broker/account.h"
#include "broker/index.h"
#include "broker/sub.h"
#include "conn/conn.h"
#include "conn/inquiry.h"
#include "conn/survey.h"
#include "io/worker.h"
#include "monitor/connz_entry.h"
#include "monitor/monitor.h"
#include "monitor/query.h"

#define BATCH 256u        // connections that are asked at once
#define MOST_LISTED 4096u // subscriptions that they have, unless one alone has more

/** A subscription that is known at once. */
struct known {
    struct sub *sub; // a reference
    const struct account *account;
    uint32_t number; // among the server's own of its account
};

/** A connection that has subscriptions. */
struct subscriber {
    uint64_t handle;
    uint64_t n_subs; // in accounts that are asked for
    uint64_t n_importing;
};

enum part { PART_KNOWN, PART_SUBSCRIBED, PART_IMPORTED };

struct subsz_list {
    struct query *query;
    const struct subsz_scope *scope;
    uint64_t n_skipped, n_left; // to be skipped before the page, and of the page
    bool is_begun;
    enum part part;
    size_t at; // the next of `known`, or of `subscribers`
    struct known *known;
    size_t n_known;
    struct survey survey;
    struct subscriber *subscribers;
    size_t n_subscribers;
    struct inquiry inquiry;
    struct inquiry_row rows[BATCH];
    size_t places[BATCH]; // of the rows, in `subscribers`
};

/* ---- what is known at once */

static void add_known(struct subsz_list *z, struct sub *take_sub, const struct account *a,
                      uint32_t number)
{
    if ((z->n_known & (z->n_known - 1)) == 0) {
        size_t cap = z->n_known ? z->n_known * 2 : 1;

        z->known = mem_realloc(z->known, cap * sizeof(z->known[0]));
    }
    z->known[z->n_known++] = (struct known){.sub = take_sub, .account = a, .number = number};
}

static void find_own(struct subsz_list *z, const struct account *a)
{
    size_t n;
    struct sub **own = index_list_own(a->index, z->query->monitor->control->index, &n);

    for (size_t i = 0; i < n; i++) {
        add_known(z, own[i], a, (uint32_t)i + 1);
    }
    mem_free(own);
}

static void find_matches(struct subsz_list *z, const struct account *a)
{
    struct match *m = index_match_all(a->index, z->query->monitor->control->index, z->scope->test);

    for (uint32_t i = 0; m && i < m->n_subs; i++) {
        add_known(z, sub_ref(m->subs[i]), a, i + 1);
    }
    match_free(m);
}

/* ---- the list */

static void go_on(void *arg);

/* @return  whether somebody still waits; else the query, and with it all this, may be gone */
static bool goes_on(struct subsz_list *z)
{
    if (z->query->is_abandoned || z->query->monitor->is_stopping) {
        query_finish(z->query);
        return false;
    }
    return true;
}

static uint64_t count(const struct subsz_list *z)
{
    uint64_t n = 0;

    if (z->scope->test.n) {
        return z->n_known;
    }
    for (size_t i = 0; i < z->scope->n_accounts; i++) {
        n += index_count(z->scope->accounts[i]->index);
    }
    return n;
}

static void finish(struct subsz_list *z)
{
    struct json *j = &z->query->json;

    if (z->is_begun) {
        json_close_array(j);
    }
    json_add_uint(j, "total", count(z));
    json_close_object(j);
    query_finish(z->query);
}

static void write_sub(struct subsz_list *z, const struct conn_report_sub *sub, uint64_t cid,
                      struct str account)
{
    struct json *j = &z->query->json;

    if (z->n_skipped) {
        z->n_skipped--;
        return;
    }
    if (z->n_left == 0) {
        return;
    }
    z->n_left--;
    if (!z->is_begun) { // an empty page has none
        z->is_begun = true;
        json_key(j, "subscriptions_list");
        json_open_array(j);
    }
    connz_entry_write_sub(j, sub, cid, account);
}

/* @param owner  NULL: the server itself */
static void write_known(struct subsz_list *z, const struct known *k,
                        const struct conn_report *owner)
{
    char number[16];
    int n = snprintf(number, sizeof(number), "%u", k->number);

    write_sub(z,
              &(struct conn_report_sub){
                  .subject = sub_subject(k->sub),
                  .queue = sub_queue(k->sub),
                  .sid = owner ? sub_sid(k->sub) : (struct str){.p = number, .n = (size_t)n},
                  .n_msgs = atomic_load(&k->sub->n_delivered),
                  .max = atomic_load(&k->sub->max),
              },
              owner ? owner->cid : 0, owner ? owner->account : str_of(k->account->name));
}

static void on_taken(struct query *q)
{
    worker_call(q->monitor->control, go_on, q->state);
}

/* What was written may be taken; then it goes on, but not from within. */
static void pause_writing(struct subsz_list *z)
{
    if (z->query->out.n >= QUERY_PIECE_BYTES) {
        query_yield(z->query, on_taken);
    } else {
        worker_call(z->query->monitor->control, go_on, z);
    }
}

static void ask(struct subsz_list *z, size_t n, unsigned what, void (*done)(struct inquiry *i))
{
    const struct monitor *m = z->query->monitor;

    z->inquiry = (struct inquiry){.rows = z->rows, .n = n, .what = what, .done = done};
    inquiry_start(&z->inquiry, m->control, m->shards, m->n_workers);
}

static size_t known_batch(const struct subsz_list *z)
{
    return z->n_known - z->at < BATCH ? z->n_known - z->at : BATCH;
}

static void on_owners(struct inquiry *i)
{
    struct subsz_list *z = CONTAINER_OF(i, struct subsz_list, inquiry);

    for (size_t k = 0; k < i->n; k++, z->at++) {
        struct conn_report *owner = z->rows[k].report;

        if (owner || z->rows[k].handle == HANDLE_NONE) {
            write_known(z, &z->known[z->at], owner);
        }
        mem_free(owner);
        z->rows[k].report = NULL;
    }
    pause_writing(z);
}

static void ask_for_owners(struct subsz_list *z)
{
    size_t n = known_batch(z);

    for (size_t k = 0; k < n; k++) {
        z->rows[k] = (struct inquiry_row){.handle = z->known[z->at + k].sub->owner};
    }
    ask(z, n, CONN_REPORT_BRIEF, on_owners);
}

/* ---- subscribers */

/* Either all accounts are asked for or one. */
static bool is_asked_for(const struct subsz_scope *s, struct str account)
{
    return s->is_all || (s->n_accounts && str_equal(str_of(s->accounts[0]->name), account));
}

/* Thread: a worker. */
static void visit(struct survey_part *p, struct conn *c)
{
    const struct subsz_list *z = CONTAINER_OF(p->survey, struct subsz_list, survey);
    struct arena scratch = {0};
    struct conn_report r = {0};

    if (!c->ops->report) {
        return;
    }
    conn_report_fill(c, CONN_REPORT_BRIEF, &r, &scratch);
    struct subscriber s = {.handle = c->handle,
                           .n_subs = is_asked_for(z->scope, r.account) ? r.n_subs : 0,
                           .n_importing = r.n_importing};
    if (s.n_subs || s.n_importing) {
        buf_add(&p->found, (struct str){.p = (const char *)&s, .n = sizeof(s)});
    }
    arena_deinit(&scratch);
}

static void on_surveyed(struct survey *s)
{
    struct subsz_list *z = CONTAINER_OF(s, struct subsz_list, survey);
    struct buf all = {0};

    for (unsigned i = 0; i < s->n_parts; i++) {
        buf_add(&all, buf_str(&s->parts[i].found));
    }
    survey_deinit(s);
    z->subscribers = (struct subscriber *)(void *)all.p;
    z->n_subscribers = all.n / sizeof(z->subscribers[0]);
    z->part = PART_SUBSCRIBED;
    z->at = 0;
    z->rows[0] = (struct inquiry_row){0};
    go_on(z);
}

static uint64_t count_of(const struct subsz_list *z, const struct subscriber *s)
{
    return z->part == PART_IMPORTED ? s->n_importing : s->n_subs;
}

/* Passes over those that have nothing to list, or nothing on the page. */
static void find_subscriber(struct subsz_list *z)
{
    for (; z->at < z->n_subscribers; z->at++) {
        uint64_t n = count_of(z, &z->subscribers[z->at]);

        if (n > (z->part == PART_IMPORTED ? 0 : z->n_skipped)) { // how many import is not known
            return;
        }
        z->n_skipped -= n;
    }
}

static void write_list(struct subsz_list *z, const struct conn_report *r)
{
    for (size_t i = 0; i < r->n_listed_subs; i++) {
        const struct conn_report_sub *sub = &r->subs[i];

        if (z->part == PART_SUBSCRIBED || is_asked_for(z->scope, sub->exporter)) {
            write_sub(z, sub, r->cid, r->account);
        }
    }
}

/* A list that is not complete is gone on with; those behind it will be asked for again. */
static void on_lists(struct inquiry *i)
{
    struct subsz_list *z = CONTAINER_OF(i, struct subsz_list, inquiry);
    uint32_t next = 0;

    for (size_t k = 0; k < i->n; k++) {
        struct conn_report *r = z->rows[k].report;

        if (next == 0) {
            if (r) {
                write_list(z, r);
                next = r->subs_next;
            }
            z->at = z->places[k] + (next == 0);
        }
        mem_free(r);
        z->rows[k].report = NULL;
    }
    z->rows[0].subs_from = next;
    pause_writing(z);
}

/* Of small lists many at once, as far as the page goes. */
static void ask_for_lists(struct subsz_list *z)
{
    unsigned what = z->part == PART_IMPORTED ? CONN_REPORT_IMPORTS : CONN_REPORT_SUBS;
    uint64_t most = z->n_skipped + z->n_left < MOST_LISTED ? z->n_skipped + z->n_left : MOST_LISTED;
    uint64_t n_subs = 0;
    size_t n = 0;

    for (size_t i = z->at; i < z->n_subscribers && n < BATCH && n_subs < most; i++) {
        uint64_t has = count_of(z, &z->subscribers[i]);

        if (has) {
            z->places[n] = i;
            z->rows[n].handle = z->subscribers[i].handle;
            z->rows[n].subs_from = n == 0 ? z->rows[0].subs_from : 0;
            n++;
            n_subs += has;
        }
    }
    ask(z, n, CONN_REPORT_BRIEF | what, on_lists);
}

/* ---- one thing after the other */

static void look_for_subscribers(struct subsz_list *z)
{
    const struct monitor *m = z->query->monitor;

    z->survey = (struct survey){.visit = visit, .done = on_surveyed};
    survey_start(&z->survey, m->control, m->shards, m->n_workers);
}

static void go_on_listing(struct subsz_list *z)
{
    if (z->rows[0].subs_from == 0) { // else the last one has more
        find_subscriber(z);
    }
    if (z->at == z->n_subscribers && z->part == PART_SUBSCRIBED) {
        z->part = PART_IMPORTED;
        z->at = 0;
        find_subscriber(z);
    }
    if (z->at < z->n_subscribers) {
        ask_for_lists(z);
    } else {
        finish(z);
    }
}

static void go_on(void *arg)
{
    struct subsz_list *z = arg;

    if (!goes_on(z)) {
        return;
    }
    if (z->n_left && z->part != PART_KNOWN) {
        go_on_listing(z);
    } else if (z->n_left && z->at < z->n_known) {
        ask_for_owners(z);
    } else if (z->n_left && z->scope->test.n == 0) {
        look_for_subscribers(z);
    } else {
        finish(z);
    }
}

static void release(void *state)
{
    struct subsz_list *z = state;

    for (size_t i = 0; i < z->n_known; i++) {
        sub_unref(z->known[i].sub);
    }
    for (size_t i = 0; i < BATCH; i++) {
        mem_free(z->rows[i].report);
    }
    mem_free(z->known);
    mem_free(z->subscribers);
    mem_free(z);
}

void subsz_list_start(struct query *q, const struct subsz_scope *scope)
{
    struct subsz_list *z = mem_zalloc(sizeof(*z));

    z->query = q;
    z->scope = scope;
    z->n_left = scope->limit;
    q->state = z;
    q->release = release;
    for (size_t i = 0; i < scope->n_accounts; i++) {
        scope->test.n ? find_matches(z, scope->accounts[i]) : find_own(z, scope->accounts[i]);
    }
    z->at = scope->offset < z->n_known ? (size_t)scope->offset : z->n_known;
    z->n_skipped = scope->offset - z->at;
    go_on(z);
}
