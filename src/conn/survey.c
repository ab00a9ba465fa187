/* SPDX-License-Identifier: Apache-2.0 */
/* A part travels to its worker, is put off there after each slice, and returns. */
#include "conn/survey.h"

#include "base/mem.h"
#include "conn/conn.h"
#include "conn/shard.h"
#include "io/worker.h"

/** So many connections are looked at per turn: some 100 µs, as what they are made of is cold. */
#define SLICE 256u

static void on_return(struct worker *w, struct inbox_item *item)
{
    struct survey *s = CONTAINER_OF(item, struct survey_part, item)->survey;

    (void)w;
    if (--s->n_awaited == 0) {
        s->done(s);
    }
}

/* @param c  may be NULL, or another one than the last that was in the slot */
static void visit(struct survey_part *p, struct conn *c)
{
    if (!c || conn_is_closing(c)) {
        p->resume = 0;
        return;
    }
    if (c->handle != p->visited) {
        p->resume = 0;
        p->visited = c->handle;
    }
    p->survey->visit(p, c);
}

/* @return  whether that was all */
static bool visit_slice(struct survey_part *p)
{
    struct handle_table *t = &p->shard->table;
    uint32_t from = p->slot;

    if (!p->survey->visit) {
        return true;
    }
    p->n_extra = 0;
    while (p->slot < t->n_slots && p->slot - from + p->n_extra < SLICE) {
        visit(p, handle_slot(t, p->slot)->conn);
        p->slot += p->resume == 0;
    }
    return p->slot >= t->n_slots;
}

static void on_slice(struct worker *w, struct inbox_item *item)
{
    struct survey_part *p = CONTAINER_OF(item, struct survey_part, item);
    bool is_done = visit_slice(p);

    p->item.run = is_done ? on_return : on_slice;
    if (is_done) {
        worker_post(p->survey->home, item);
    } else {
        worker_defer(w, item);
    }
}

static void on_arrival(struct worker *w, struct inbox_item *item)
{
    struct survey_part *p = CONTAINER_OF(item, struct survey_part, item);

    if (p->survey->enter) {
        p->survey->enter(p, p->shard);
    }
    on_slice(w, item);
}

void survey_start(struct survey *s, struct worker *home, struct shard **shards, unsigned n_workers)
{
    s->home = home;
    s->n_parts = s->n_awaited = n_workers;
    s->parts = mem_zalloc(n_workers * sizeof(s->parts[0]));
    for (unsigned i = 0; i < n_workers; i++) {
        struct survey_part *p = &s->parts[i];

        *p = (struct survey_part){.item.run = on_arrival, .survey = s, .shard = shards[i + 1]};
        worker_post(p->shard->worker, &p->item);
    }
}

void survey_deinit(struct survey *s)
{
    for (unsigned i = 0; i < s->n_parts; i++) {
        buf_deinit(&s->parts[i].found);
    }
    mem_free(s->parts);
    s->parts = NULL;
    s->n_parts = 0;
}
