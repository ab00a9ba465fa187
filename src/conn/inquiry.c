/* SPDX-License-Identifier: Apache-2.0 */
/* A part travels to its worker, is put off there after each slice, and returns, as with a survey.
 * Each worker fills rows of its own connections only. */
#include "conn/inquiry.h"

#include "base/attr.h"
#include "base/mem.h"
#include "conn/conn.h"
#include "conn/conn_report.h"
#include "conn/handle.h"
#include "conn/shard.h"
#include "io/worker.h"

/** A slice costs as much as so many reports without lists: some 100 µs. */
#define SLICE 64u
/** [subscriptions] in a list that cost as much as a report. */
#define SUBS_PER_REPORT 16u

struct inquiry_part {
    struct inbox_item item;
    struct inquiry *inquiry;
    struct shard *shard;
    size_t row; // the next one
};

static void on_return(struct worker *w, struct inbox_item *item)
{
    struct inquiry *q = CONTAINER_OF(item, struct inquiry_part, item)->inquiry;

    (void)w;
    if (--q->n_awaited == 0) {
        mem_free(q->parts);
        q->parts = NULL;
        q->done(q);
    }
}

/* @return  what it cost, in reports */
static size_t answer_row(struct shard *sh, unsigned what, struct inquiry_row *row)
{
    struct conn *c = handle_find(&sh->table, row->handle);

    if (!c || conn_is_closing(c) || !c->ops->report) {
        return 0;
    }
    row->report = conn_report_new_from(c, what, row->subs_from);
    return 1 + row->report->n_listed_subs / SUBS_PER_REPORT;
}

static void on_slice(struct worker *w, struct inbox_item *item)
{
    struct inquiry_part *p = CONTAINER_OF(item, struct inquiry_part, item);
    struct inquiry *q = p->inquiry;

    for (size_t cost = 0; p->row < q->n && cost < SLICE; p->row++) {
        struct inquiry_row *row = &q->rows[p->row];

        if (handle_worker(row->handle) == p->shard->index) {
            cost += answer_row(p->shard, q->what, row);
        }
    }
    bool is_done = p->row == q->n;
    p->item.run = is_done ? on_return : on_slice;
    if (is_done) {
        worker_post(q->home, item);
    } else {
        worker_defer(w, item);
    }
}

void inquiry_start(struct inquiry *q, struct worker *home, struct shard **shards,
                   unsigned n_workers)
{
    q->home = home;
    q->n_awaited = n_workers;
    q->parts = mem_zalloc(n_workers * sizeof(q->parts[0]));
    for (size_t i = 0; i < q->n; i++) {
        q->rows[i].report = NULL;
    }
    for (unsigned i = 0; i < n_workers; i++) {
        struct inquiry_part *p = &q->parts[i];

        *p = (struct inquiry_part){.item.run = on_slice, .inquiry = q, .shard = shards[i + 1]};
        worker_post(p->shard->worker, &p->item);
    }
}
