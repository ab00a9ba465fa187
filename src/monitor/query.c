/* SPDX-License-Identifier: Apache-2.0 */
/* The way between whoever asks and the document. */
#include "monitor/query.h"

#include <stdarg.h>

#include "base/clock.h"
#include "base/mem.h"
#include "monitor/doc.h"
#include "monitor/facts.h"
#include "monitor/monitor.h"

struct query *query_new(struct monitor *m, const struct doc *doc, const struct asker_ops *asker,
                        void *asker_arg)
{
    struct query *q = mem_zalloc(sizeof(*q));

    *q = (struct query){
        .monitor = m, .doc = doc, .asker = asker, .asker_arg = asker_arg, .status = 200};
    q->json = json_to(&q->out);
    if (doc->options_bytes) {
        q->options = arena_alloc(&q->arena, doc->options_bytes);
    }
    return q;
}

void query_start(struct query *q)
{
    q->doc->answer(q);
}

/* @return  whether somebody still waits; else it is gone */
static bool is_wanted(struct query *q)
{
    if (!q->is_abandoned && !q->monitor->is_stopping) {
        return true;
    }
    if (q->is_abandoned) {
        query_free(q);
    }
    return false;
}

void query_open_document(struct query *q)
{
    json_open_object(&q->json);
    json_add_str(&q->json, "server_id", q->monitor->facts->server_id);
    json_add_time(&q->json, "now", clock_wall_ns());
}

void query_finish(struct query *q)
{
    q->is_over = true;
    if (is_wanted(q)) {
        q->asker->on_done(q);
    }
}

void query_fail(struct query *q, int status, const char *format, ...)
{
    va_list ap;

    q->out.n = 0;
    q->status = status;
    va_start(ap, format);
    buf_vprintf(&q->error, format, ap);
    va_end(ap);
    query_finish(q);
}

void query_fail_about(struct query *q, int status, const char *before, struct str what,
                      const char *after)
{
    q->out.n = 0;
    q->status = status;
    buf_add(&q->error, str_of(before));
    buf_add(&q->error, what);
    buf_add(&q->error, str_of(after));
    query_finish(q);
}

void query_yield(struct query *q, void (*more)(struct query *q))
{
    q->more = more;
    if (is_wanted(q)) {
        q->asker->on_piece(q);
    }
}

void query_go_on(struct query *q)
{
    void (*more)(struct query *) = q->more;

    q->more = NULL;
    more(q);
}

void query_abandon(struct query *q)
{
    if (q->more || q->is_over) { // nothing is under way
        query_free(q);
    } else {
        q->is_abandoned = true;
    }
}

void query_free(struct query *q)
{
    if (q->release) {
        q->release(q->state);
    }
    arena_deinit(&q->arena);
    buf_deinit(&q->out);
    buf_deinit(&q->error);
    mem_free(q);
}
