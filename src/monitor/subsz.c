/* SPDX-License-Identifier: Apache-2.0 */
/* /subsz: subscriptions (spec 07 §7). */
#include <stddef.h>

#include "base/attr.h"
#include "base/mem.h"
#include "broker/accounts.h"
#include "broker/tenancy.h"
#include "monitor/doc.h"
#include "monitor/monitor.h"
#include "monitor/query.h"
#include "monitor/sublist_stats.h"
#include "monitor/subsz_list.h"
#include "proto/subject.h"

#define USUAL_LIMIT 1024

struct subsz_options {
    struct str account, test;
    bool subs;
    int64_t offset, limit;
};

/* An account that does not exist is one without subscriptions. */
static struct subsz_scope *find_scope(struct query *q, const struct subsz_options *o)
{
    const struct monitor *m = q->monitor;
    struct subsz_scope *s = arena_alloc(&q->arena, sizeof(*s));
    size_t n;
    struct account **all = accounts_list(m->accounts, &n);

    s->is_all = o->account.n == 0;
    s->accounts = arena_alloc(&q->arena, (n + 1) * sizeof(s->accounts[0]));
    if (s->is_all) {
        memcpy(s->accounts, all, n * sizeof(all[0]));
        s->n_accounts = n;
    } else if (tenancy_find(m->tenancy, o->account)) {
        s->accounts[0] = accounts_find(m->accounts, o->account);
        s->n_accounts = s->accounts[0] ? 1 : 0;
    }
    mem_free(all);
    s->test = o->test;
    s->offset = o->offset > 0 ? (uint64_t)o->offset : 0;
    s->limit = o->limit > 0 ? (uint64_t)o->limit : USUAL_LIMIT;
    return s;
}

static void write_numbers(struct query *q, const struct subsz_scope *s)
{
    struct sublist_stats stats = {0};
    struct json *j = &q->json;

    for (size_t i = 0; i < s->n_accounts; i++) {
        sublist_stats_add(&stats, s->accounts[i]);
    }
    query_open_document(q);
    sublist_stats_write(j, &stats);
    json_add_uint(j, "offset", s->offset);
    json_add_uint(j, "limit", s->limit);
}

static void answer(struct query *q)
{
    const struct subsz_options *o = q->options;
    const struct subsz_scope *s;

    if (o->test.n && !subject_is_literal(o->test)) {
        query_fail_about(q, 400, "invalid test subject, must be valid publish subject: ", o->test,
                         "");
        return;
    }
    s = find_scope(q, o);
    write_numbers(q, s);
    if (o->subs) {
        subsz_list_start(q, s);
        return;
    }
    json_add_uint(&q->json, "total", 0);
    json_close_object(&q->json);
    query_finish(q);
}

#define FIELD(name) .offset = offsetof(struct subsz_options, name)

static const struct doc_option options[] = {
    {.http = "subs", .json = "subscriptions", .kind = DOC_OPTION_BOOL, FIELD(subs)},
    {.http = "offset", .json = "offset", .kind = DOC_OPTION_INT, FIELD(offset)},
    {.http = "limit", .json = "limit", .kind = DOC_OPTION_INT, FIELD(limit)},
    {.http = "acc", .json = "account", .kind = DOC_OPTION_STR, FIELD(account)},
    {.http = "test", .json = "test", .kind = DOC_OPTION_STR, FIELD(test)},
};

extern const struct doc subsz_doc;
const struct doc subsz_doc = {.name = "SUBSZ",
                              .path = "/subsz",
                              .options = options,
                              .n_options = ARRAY_SIZE(options),
                              .options_bytes = sizeof(struct subsz_options),
                              .answer = answer,
                              .indent = 2,
                              .is_counted = true,
                              .is_large = true};
