/* SPDX-License-Identifier: Apache-2.0 */
/* Open connections are found by a survey: each worker applies the filters to its own. */
#include "monitor/connz_search.h"

#include "base/attr.h"
#include "conn/conn.h"
#include "conn/conn_report.h"
#include "monitor/monitor.h"
#include "proto/pattern.h"
#include "proto/subject.h"

/* ---- filters, on any thread */

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

/** [subscriptions] that cost as much to compare as a look at a connection. */
#define SUBS_PER_LOOK 4u

static bool overlaps(const struct conn_report *r, struct str filter)
{
    for (size_t i = 0; i < r->n_listed_subs; i++) {
        if (pattern_overlaps(r->subs[i].subject, filter)) {
            return true;
        }
    }
    return false;
}

/* Looks at one list of its subscriptions; if there are more, the survey comes back.
 * @param from    where that list begins
 * @param filter  empty: every connection will do */
static bool has_overlap(struct survey_part *p, struct conn *c, uint32_t from, struct str filter)
{
    struct conn_report r = {.subs_from = from};
    struct arena scratch = {0};

    if (filter.n == 0 || !subject_is_valid(filter)) {
        return filter.n == 0;
    }
    conn_report_fill(c, CONN_REPORT_BRIEF | CONN_REPORT_SUBS, &r, &scratch);
    bool is_found = overlaps(&r, filter);

    p->n_extra += 1 + (uint32_t)(r.n_listed_subs / SUBS_PER_LOOK);
    p->resume = is_found ? 0 : r.subs_next;
    arena_deinit(&scratch);
    return is_found;
}

static struct connz_entry make_entry(const struct connz_search *s, const struct conn_report *r,
                                     uint64_t ref)
{
    return (struct connz_entry){.key = connz_sort_key(&s->sorter, r),
                                .cid = r->cid,
                                .ref = ref,
                                .is_closed = r->stop_ns != 0};
}

static void add_entry(struct buf *found, const struct connz_entry *e)
{
    buf_add(found, (struct str){.p = (const char *)e, .n = sizeof(*e)});
}

/* What a worker finds is a number, how many it has counted, and entries behind it. */
static void enter(struct survey_part *p, struct shard *sh)
{
    uint64_t none = 0;

    (void)sh;
    buf_add(&p->found, (struct str){.p = (const char *)&none, .n = sizeof(none)});
}

static void count(struct survey_part *p, uint64_t more)
{
    uint64_t n;

    memcpy(&n, p->found.p, sizeof(n));
    n += more;
    memcpy(p->found.p, &n, sizeof(n));
}

static void visit(struct survey_part *p, struct conn *c)
{
    const struct connz_search *s = CONTAINER_OF(p->survey, struct connz_search, survey);
    const struct connz_options *o = s->options;
    uint32_t from = p->resume; // not 0: it was counted before
    struct arena scratch = {0};
    struct conn_report r = {0};

    if (!c->ops->report) {
        return;
    }
    p->resume = 0;
    conn_report_fill(c, CONN_REPORT_BRIEF, &r, &scratch);
    if (is_counted(o, &r)) {
        count(p, from == 0);
        if (is_wanted(o, &r) && has_overlap(p, c, from, o->filter_subject)) {
            struct connz_entry e = make_entry(s, &r, c->handle);

            add_entry(&p->found, &e);
        }
    }
    arena_deinit(&scratch);
}

/* ---- control */

static void add_part(struct connz_search *s, const struct survey_part *p)
{
    uint64_t n;

    memcpy(&n, p->found.p, sizeof(n));
    s->total += n;
    buf_add(&s->found, (struct str){.p = p->found.p + sizeof(n), .n = p->found.n - sizeof(n)});
}

static void add_closed(struct connz_search *s)
{
    const struct closed_ring *ring = &s->monitor->closed;

    for (size_t i = 0; i < ring->n; i++) {
        const struct conn_report *r = closed_ring_at(ring, i);

        if (!is_counted(s->options, r)) {
            continue;
        }
        s->total++;
        if (is_wanted(s->options, r)) {
            struct connz_entry e = make_entry(s, r, closed_ring_first(ring) + i);

            add_entry(&s->found, &e);
        }
    }
}

/* Closed ones come last: who closes meanwhile is not found open any more, or is gone when asked. */
static void finish(struct connz_search *s)
{
    if (s->options->state != DOC_STATE_OPEN) {
        add_closed(s);
    }
    s->entries = (struct connz_entry *)(void *)s->found.p;
    s->n_entries = s->found.n / sizeof(s->entries[0]);
    s->done(s);
}

static void on_surveyed(struct survey *survey)
{
    struct connz_search *s = CONTAINER_OF(survey, struct connz_search, survey);

    for (unsigned i = 0; i < survey->n_parts; i++) {
        add_part(s, &survey->parts[i]);
    }
    survey_deinit(survey);
    finish(s);
}

void connz_search_start(struct connz_search *s)
{
    const struct monitor *m = s->monitor;

    if (s->options->state == DOC_STATE_CLOSED) {
        finish(s);
        return;
    }
    s->survey = (struct survey){.visit = visit, .enter = enter, .done = on_surveyed};
    survey_start(&s->survey, m->control, m->shards, m->n_workers);
}

void connz_search_deinit(struct connz_search *s)
{
    buf_deinit(&s->found);
}
