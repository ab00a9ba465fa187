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
#include "conn/survey.h"
#include "io/worker.h"
#include "monitor/connz_entry.h"
#include "monitor/connz_sort.h"
#include "monitor/doc.h"
#include "monitor/facts.h"
#include "monitor/monitor.h"
#include "monitor/query.h"
#include "proto/pattern.h"
#include "proto/subject.h"

#define USUAL_LIMIT 1024
#define BATCH 256u           // connections that are asked for at once
#define BATCH_WITH_LISTS 16u // likewise, with up to CONN_REPORT_MOST_SUBS subscriptions each

struct connz_options {
    struct str sort, user, account, mqtt_client, filter_subject;
    bool auth;
    enum doc_detail subs;
    int64_t offset, limit;
    uint64_t cid;
    enum doc_state state;
};

struct connz {
    struct query *query;
    const struct connz_options *options; // with limit and offset as they are in force
    struct connz_sorter sorter;
    struct connz_style style;
    struct survey survey;
    uint64_t total;
    struct connz_entry *entries;
    size_t n_entries, entries_cap;
    size_t at, end, batch_end; // the next to be written, the ends of the page and of the batch
    uint64_t n_written;
    struct inquiry inquiry; // about the open ones of the batch
    struct inquiry_row rows[BATCH];
    size_t row;      // the next of them
    bool is_in_list; // the list of rows[row] has been begun, and is not complete
};

/* ---- who is there: filters, on any thread */

static bool is_counted(const struct connz_options *o, const struct conn_report *r)
{
    return o->account.n == 0 || str_equal(o->account, r->account);
}

/* MQTT does not exist yet: nobody has an id of that kind. */
static bool is_wanted(const struct connz_options *o, const struct conn_report *r)
{
    return (o->cid == 0 || o->cid == r->cid) && (o->user.n == 0 || str_equal(o->user, r->user)) &&
           o->mqtt_client.n == 0;
}

static bool overlaps(const struct conn_report *r, struct str filter)
{
    for (size_t i = 0; i < r->n_listed_subs; i++) {
        if (pattern_overlaps(r->subs[i].subject, filter)) {
            return true;
        }
    }
    return false;
}

/* @param filter  empty: every connection will do */
static bool has_overlap(struct conn *c, struct str filter)
{
    struct conn_report r = {0};
    bool is_found = filter.n == 0;

    while (!is_found && subject_is_valid(filter)) {
        struct arena scratch = {0};

        r.subs_from = r.subs_next;
        conn_report_fill(c, CONN_REPORT_BRIEF | CONN_REPORT_SUBS, &r, &scratch);
        is_found = overlaps(&r, filter);
        arena_deinit(&scratch);
        if (r.subs_next == 0) {
            break;
        }
    }
    return is_found;
}

static struct connz_entry make_entry(const struct connz *z, const struct conn_report *r,
                                     uint64_t ref)
{
    return (struct connz_entry){.key = connz_sort_key(&z->sorter, r),
                                .cid = r->cid,
                                .ref = ref,
                                .is_closed = r->stop_ns != 0};
}

/* What a worker finds is a number, how many it has counted, and entries behind it. */
static void enter(struct survey_part *p, struct shard *sh)
{
    uint64_t none = 0;

    (void)sh;
    buf_add(&p->found, (struct str){.p = (const char *)&none, .n = sizeof(none)});
}

static void visit(struct survey_part *p, struct conn *c)
{
    const struct connz *z = CONTAINER_OF(p->survey, struct connz, survey);
    const struct connz_options *o = z->options;
    struct arena scratch = {0};
    struct conn_report r = {0};

    if (!c->ops->report) {
        return;
    }
    conn_report_fill(c, CONN_REPORT_BRIEF, &r, &scratch);
    if (is_counted(o, &r)) {
        uint64_t n;

        memcpy(&n, p->found.p, sizeof(n));
        n++;
        memcpy(p->found.p, &n, sizeof(n));
        if (is_wanted(o, &r) && has_overlap(c, o->filter_subject)) {
            struct connz_entry e = make_entry(z, &r, c->handle);

            buf_add(&p->found, (struct str){.p = (const char *)&e, .n = sizeof(e)});
        }
    }
    arena_deinit(&scratch);
}

/* ---- from here on: control */

static void add_entries(struct connz *z, const void *entries, size_t n)
{
    if (z->n_entries + n > z->entries_cap) {
        z->entries_cap =
            z->n_entries + n > z->entries_cap * 2 ? z->n_entries + n : z->entries_cap * 2;
        z->entries = mem_realloc(z->entries, z->entries_cap * sizeof(z->entries[0]));
    }
    if (n) {
        memcpy(z->entries + z->n_entries, entries, n * sizeof(z->entries[0]));
        z->n_entries += n;
    }
}

static void add_part(struct connz *z, const struct survey_part *p)
{
    uint64_t n;

    memcpy(&n, p->found.p, sizeof(n));
    z->total += n;
    add_entries(z, p->found.p + sizeof(n), (p->found.n - sizeof(n)) / sizeof(z->entries[0]));
}

static void add_closed(struct connz *z)
{
    const struct closed_ring *ring = &z->query->monitor->closed;

    for (size_t i = 0; i < ring->n; i++) {
        const struct conn_report *r = closed_ring_at(ring, i);

        if (!is_counted(z->options, r)) {
            continue;
        }
        z->total++;
        if (is_wanted(z->options, r)) {
            struct connz_entry e = make_entry(z, r, closed_ring_first(ring) + i);

            add_entries(z, &e, 1);
        }
    }
}

static void choose_page(struct connz *z)
{
    uint64_t from = (uint64_t)z->options->offset;
    uint64_t n = (uint64_t)z->options->limit;

    z->at = from < z->n_entries ? (size_t)from : z->n_entries;
    z->end = n < z->n_entries - z->at ? z->at + (size_t)n : z->n_entries;
    connz_sort_page(z->entries, z->n_entries, z->at, z->end);
}

static void write_head(struct connz *z)
{
    struct query *q = z->query;
    struct json *j = &q->json;

    json_open_object(j);
    json_add_str(j, "server_id", q->monitor->facts->server_id);
    json_add_time(j, "now", z->style.now_ns);
    json_add_uint(j, "total", z->total);
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
        if (!z->entries[i].is_closed) {
            z->rows[n_open++] = (struct inquiry_row){.handle = z->entries[i].ref};
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
        closed_ring_find(&z->query->monitor->closed, z->entries[z->at].ref);

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

    if (z->is_in_list && goes_on(z)) {
        ask(z, &z->rows[z->row], 1);
    } else if (!z->is_in_list && goes_on(z)) {
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
        if (z->entries[z->at].is_closed) {
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

static void start_page(struct connz *z)
{
    if (z->options->state != DOC_STATE_OPEN) {
        add_closed(z);
    }
    choose_page(z);
    write_head(z);
    start_batch(z);
}

static void on_surveyed(struct survey *s)
{
    struct connz *z = CONTAINER_OF(s, struct connz, survey);

    for (unsigned i = 0; i < s->n_parts; i++) {
        add_part(z, &s->parts[i]);
    }
    survey_deinit(s);
    if (goes_on(z)) {
        start_page(z);
    }
}

static void release(void *state)
{
    struct connz *z = state;

    for (size_t i = 0; i < BATCH; i++) {
        mem_free(z->rows[i].report);
    }
    mem_free(z->entries);
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
        query_fail(q, 400, "invalid sorting option: %.*s", STR_ARG(o->sort));
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
    const struct monitor *m = q->monitor;
    struct connz *z = mem_zalloc(sizeof(*z));

    *z = (struct connz){
        .query = q,
        .options = o,
        .style = {.with_auth = o->auth, .subs = o->subs, .now_ns = clock_wall_ns()},
        .survey = {.visit = visit, .enter = enter, .done = on_surveyed},
    };
    connz_sorter_init(&z->sorter, sort, z->style.now_ns);
    q->state = z;
    q->release = release;
    if (o->state == DOC_STATE_CLOSED) {
        start_page(z);
    } else {
        survey_start(&z->survey, m->control, m->shards, m->n_workers);
    }
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
                              .counts_if_decoded = true};
