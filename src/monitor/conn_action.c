/* SPDX-License-Identifier: Apache-2.0 */
/* Nobody knows connections by their ids: the workers are asked, and whoever has it acts. */
#include "monitor/conn_action.h"

#include <stdbool.h>

#include "base/attr.h"
#include "base/mem.h"
#include "conn/conn.h"
#include "conn/conn_report.h"
#include "conn/survey.h"
#include "monitor/monitor.h"

struct conn_action {
    struct survey survey;
    uint64_t cid;
    /* Thread: that of the connection. @return  whether it could be done */
    bool (*act)(struct conn *c);
    conn_action_fn done;
    void *arg;
};

static bool kick(struct conn *c)
{
    conn_close(c, CLOSE_KICKED);
    return true;
}

static bool announce(struct conn *c)
{
    return c->ops->announce_lame_duck && c->ops->announce_lame_duck(c);
}

/* What a worker finds is one byte: the result. */
static void visit(struct survey_part *p, struct conn *c)
{
    const struct conn_action *a = CONTAINER_OF(p->survey, struct conn_action, survey);
    struct arena scratch = {0};
    struct conn_report r = {0};

    if (!c->ops->report) {
        return;
    }
    conn_report_fill(c, CONN_REPORT_BRIEF, &r, &scratch);
    if (r.cid == a->cid) {
        buf_add_char(&p->found, a->act(c) ? CONN_ACTION_DONE : CONN_ACTION_REFUSED);
    }
    arena_deinit(&scratch);
}

static void on_surveyed(struct survey *s)
{
    struct conn_action *a = CONTAINER_OF(s, struct conn_action, survey);
    enum conn_action_result result = CONN_ACTION_NOBODY;

    for (unsigned i = 0; i < s->n_parts; i++) {
        if (s->parts[i].found.n) {
            result = (enum conn_action_result)s->parts[i].found.p[0];
        }
    }
    survey_deinit(s);
    a->done(a->arg, result);
    mem_free(a);
}

static void start(struct monitor *m, const struct conn_action *how)
{
    struct conn_action *a = mem_alloc(sizeof(*a));

    *a = *how;
    a->survey = (struct survey){.visit = visit, .done = on_surveyed};
    survey_start(&a->survey, m->control, m->shards, m->n_workers);
}

void conn_action_kick(struct monitor *m, uint64_t cid, conn_action_fn done, void *arg)
{
    start(m, &(struct conn_action){.cid = cid, .act = kick, .done = done, .arg = arg});
}

void conn_action_announce_lame_duck(struct monitor *m, uint64_t cid, conn_action_fn done, void *arg)
{
    start(m, &(struct conn_action){.cid = cid, .act = announce, .done = done, .arg = arg});
}
