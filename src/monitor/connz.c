/* SPDX-License-Identifier: Apache-2.0 */
/* /connz: connections, open and closed (spec 07 §6). In two steps, so that the connections of a
 * page are all that is reported in full: a survey collects who is there, by what they are sorted;
 * then the page is written in batches, each of which is asked of the workers. */
#include <stddef.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/mem.h"
#include "broker/tenancy.h"
#include "conn/conn.h"
#include "conn/inquiry.h"
#include "io/worker.h"
#include "monitor/connz_entry.h"
#include "monitor/connz_search.h"
#include "monitor/connz_sort.h"
#include "monitor/doc.h"
#include "monitor/facts.h"
#include "monitor/monitor.h"
#include "monitor/query.h"

#define USUAL_LIMIT 1024
#define BATCH 256u           // connections that are asked for at once
#define BATCH_WITH_LISTS 16u // likewise, with up to CONN_REPORT_MOST_SUBS subscriptions each

struct connz {
    struct query *query;
    const struct connz_options *options; // with limit and offset as they are in force
    struct connz_style style;
    struct connz_search found;
    size_t at, end, batch_end; // the next to be written, the ends of the page and of the batch
    uint64_t n_written;
    struct inquiry inquiry; // about the open ones of the batch
    struct inquiry_row rows[BATCH];
    size_t row;      // the next of them
    bool is_in_list; // the list of rows[row] has been begun, and is not complete
};

static void choose_page(struct connz *z)
{
    uint64_t from = (uint64_t)z->options->offset;
    uint64_t n = (uint64_t)z->options->limit;

    z->at = from < z->found.n_entries ? (size_t)from : z->found.n_entries;
    z->end = n < z->found.n_entries - z->at ? z->at + (size_t)n : z->found.n_entries;
    connz_sort_page(z->found.entries, z->found.n_entries, z->at, z->end);
}

static void write_head(struct connz *z)
{
    struct query *q = z->query;
    struct json *j = &q->json;

    json_open_object(j);
    json_add_str(j, "server_id", q->monitor->facts->server_id);
    json_add_time(j, "now", z->style.now_ns);
    json_add_uint(j, "total", z->found.total);
    json_add_int(j, "offset", z->options->offset);
    json_add_int(j, "limit", z->options->limit);
    json_key(j, "connections");
    json_open_array(j);
}

/* Number and total come last: by then connections may have gone. */
static void write_end(struct connz *z)
{
    struct json *j = &z->query->json;

    json_close_array(j);
    json_add_uint(j, "num_connections", z->n_written);
    json_close_object(j);
    query_finish(z->query);
}

/* @return  whether somebody still waits; else the query, and with it all this, may be gone */
static bool goes_on(struct connz *z)
{
    if (z->query->is_abandoned || z->query->monitor->is_stopping) {
        query_finish(z->query);
        return false;
    }
    return true;
}

static void write_batch(struct connz *z);

static void on_more(struct inquiry *i)
{
    struct connz *z = CONTAINER_OF(i, struct connz, inquiry);

    if (goes_on(z)) {
        write_batch(z);
    }
}

static void ask(struct connz *z, struct inquiry_row *rows, size_t n)
{
    const struct monitor *m = z->query->monitor;
    unsigned what = CONN_REPORT_RTT | (z->style.subs ? CONN_REPORT_SUBS : 0) |
                    (z->style.with_auth ? CONN_REPORT_CERTS : 0);

    z->inquiry = (struct inquiry){.rows = rows, .n = n, .what = what, .done = on_more};
    inquiry_start(&z->inquiry, m->control, m->shards, m->n_workers);
}

static void start_batch(void *arg)
{
    struct connz *z = arg;
    size_t most = z->style.subs ? BATCH_WITH_LISTS : BATCH;
    size_t n_open = 0;

    if (!goes_on(z)) {
        return;
    }
    if (z->at == z->end) {
        write_end(z);
        return;
    }
    z->batch_end = z->end - z->at < most ? z->end : z->at + most;
    for (size_t i = z->at; i < z->batch_end; i++) {
        if (!z->found.entries[i].is_closed) {
            z->rows[n_open++] = (struct inquiry_row){.handle = z->found.entries[i].ref};
        }
    }
    z->row = 0;
    if (n_open) {
        ask(z, z->rows, n_open);
    } else {
        write_batch(z);
    }
}

static void begin_entry(struct connz *z, const struct conn_report *r)
{
    struct json *j = &z->query->json;

    z->n_written++;
    connz_entry_open(j, r, &z->style);
    z->is_in_list = z->style.subs && r->n_listed_subs;
    if (z->is_in_list) {
        connz_entry_open_list(j, &z->style);
        connz_entry_write_subs(j, r, &z->style);
    }
}

static void end_entry(struct connz *z)
{
    struct json *j = &z->query->json;

    if (z->is_in_list) {
        json_close_array(j);
    }
    z->is_in_list = false;
    json_close_object(j);
}

static void write_closed(struct connz *z)
{
    const struct conn_report *r =
        closed_ring_find(&z->query->monitor->closed, z->found.entries[z->at].ref);

    if (r) {
        begin_entry(z, r);
        end_entry(z);
    }
    z->at++;
}

/* One report of an open connection, which may have begun before: its list comes in several. */
static void write_open(struct connz *z)
{
    struct inquiry_row *row = &z->rows[z->row];
    struct conn_report *r = row->report;
    uint32_t next = r ? r->subs_next : 0;

    if (z->is_in_list && r) {
        connz_entry_write_subs(&z->query->json, r, &z->style);
    } else if (r) {
        begin_entry(z, r);
    }
    if (next == 0 && (r || z->is_in_list)) {
        end_entry(z);
    }
    mem_free(r);
    row->report = NULL;
    row->subs_from = next;
    if (next == 0) {
        z->row++;
        z->at++;
    }
}

/* The next batch, or the rest of a list; not from within what wrote the last one. */
static void go_on(void *arg)
{
    struct connz *z = arg;

    if (!goes_on(z)) {
        return; // it is gone
    }
    if (z->is_in_list) {
        ask(z, &z->rows[z->row], 1);
    } else {
        write_batch(z);
    }
}

static void on_taken(struct query *q)
{
    worker_call(q->monitor->control, go_on, q->state);
}

static void write_batch(struct connz *z)
{
    struct query *q = z->query;

    while (z->at < z->batch_end) {
        if (z->found.entries[z->at].is_closed) {
            write_closed(z);
        } else {
            write_open(z);
        }
        if (q->out.n >= QUERY_PIECE_BYTES) {
            query_yield(q, on_taken);
            return;
        }
        if (z->is_in_list) {
            go_on(z);
            return;
        }
    }
    worker_call(q->monitor->control, start_batch, z);
}

static void on_found(struct connz_search *s)
{
    struct connz *z = CONTAINER_OF(s, struct connz, found);

    if (goes_on(z)) {
        choose_page(z);
        write_head(z);
        start_batch(z);
    }
}

static void release(void *state)
{
    struct connz *z = state;

    for (size_t i = 0; i < BATCH; i++) {
        mem_free(z->rows[i].report);
    }
    connz_search_deinit(&z->found);
    mem_free(z);
}

/* As the reference does it, with an empty id and no list. */
static void answer_nothing(struct query *q, const struct connz_options *o)
{
    struct json *j = &q->json;

    json_open_object(j);
    json_add_str(j, "server_id", (struct str){0});
    json_add_time(j, "now", clock_wall_ns());
    json_add_uint(j, "num_connections", 0);
    json_add_uint(j, "total", 0);
    json_add_int(j, "offset", o->offset);
    json_add_int(j, "limit", o->limit);
    json_key(j, "connections");
    json_raw(j, STR("null"));
    json_close_object(j);
    query_finish(q);
}

/* @return  false: something asked for makes no sense, and the query has failed */
static bool check(struct query *q, const struct connz_options *o, enum connz_sort *sort)
{
    if (!connz_sort_find(o->sort, sort)) {
        query_fail_about(q, 400, "invalid sorting option: ", o->sort, "");
    } else if (o->filter_subject.n && !o->account.n) {
        query_fail(q, 400, "filter by subject only valid with account filtering");
    } else if (*sort == CONNZ_SORT_STOP && o->state != DOC_STATE_CLOSED) {
        query_fail(q, 400, "sort by stop only valid on closed connections");
    } else if (*sort == CONNZ_SORT_REASON && o->state != DOC_STATE_CLOSED) {
        query_fail(q, 400, "sort by reason only valid on closed connections");
    } else {
        return true;
    }
    return false;
}

static void start(struct query *q, const struct connz_options *o, enum connz_sort sort)
{
    struct connz *z = mem_zalloc(sizeof(*z));

    *z = (struct connz){
        .query = q,
        .options = o,
        .style = {.with_auth = o->auth, .subs = o->subs, .now_ns = clock_wall_ns()},
        .found = {.monitor = q->monitor, .options = o, .done = on_found},
    };
    connz_sorter_init(&z->found.sorter, sort, z->style.now_ns);
    q->state = z;
    q->release = release;
    connz_search_start(&z->found);
}

static void answer(struct query *q)
{
    struct connz_options *o = q->options;
    enum connz_sort sort = CONNZ_SORT_CID;

    if (!check(q, o, &sort)) {
        return;
    }
    o->limit = o->cid ? 1 : o->limit > 0 ? o->limit : USUAL_LIMIT;
    o->offset = o->offset > 0 ? o->offset : 0;
    if (o->account.n && !tenancy_find(q->monitor->tenancy, o->account)) {
        answer_nothing(q, o);
        return;
    }
    start(q, o, sort);
}

#define FIELD(name) .offset = offsetof(struct connz_options, name)

static const struct doc_option options[] = {
    {.http = "sort", .json = "sort", .kind = DOC_OPTION_STR, FIELD(sort)},
    {.http = "auth", .json = "auth", .kind = DOC_OPTION_BOOL, FIELD(auth)},
    {.http = "subs",
     .json = "subscriptions",
     .kind = DOC_OPTION_DETAIL,
     FIELD(subs),
     .detail = DOC_DETAIL_NAMES},
    {.json = "subscriptions_detail",
     .kind = DOC_OPTION_DETAIL,
     FIELD(subs),
     .detail = DOC_DETAIL_ALL},
    {.http = "offset", .json = "offset", .kind = DOC_OPTION_INT, FIELD(offset)},
    {.http = "limit", .json = "limit", .kind = DOC_OPTION_INT, FIELD(limit)},
    {.http = "cid", .json = "cid", .kind = DOC_OPTION_UINT, FIELD(cid)},
    {.http = "state", .json = "state", .kind = DOC_OPTION_STATE, FIELD(state)},
    {.http = "user", .json = "user", .kind = DOC_OPTION_STR, FIELD(user)},
    {.http = "acc", .json = "acc", .kind = DOC_OPTION_STR, FIELD(account)},
    {.http = "mqtt_client", .json = "mqtt_client", .kind = DOC_OPTION_STR, FIELD(mqtt_client)},
    {.json = "filter_subject", .kind = DOC_OPTION_STR, FIELD(filter_subject)},
};

extern const struct doc connz_doc;
const struct doc connz_doc = {.name = "CONNZ",
                              .path = "/connz",
                              .options = options,
                              .n_options = ARRAY_SIZE(options),
                              .options_bytes = sizeof(struct connz_options),
                              .answer = answer,
                              .indent = 2,
                              .is_counted = true,
                              .counts_if_decoded = true,
                              .is_large = true};
