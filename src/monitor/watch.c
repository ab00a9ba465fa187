/* SPDX-License-Identifier: Apache-2.0 */
/* One item per event, in the order of each worker. */
#include "monitor/watch.h"

#include "base/attr.h"
#include "base/mem.h"
#include "io/worker.h"
#include "monitor/monitor.h"

struct conn_news {
    struct inbox_item item;
    struct monitor *monitor;
    enum conn_event event;
    struct conn_report *report;
};

static void on_news(struct worker *w, struct inbox_item *item)
{
    struct conn_news *news = CONTAINER_OF(item, struct conn_news, item);
    struct monitor *m = news->monitor;

    (void)w;
    if (m->on_conn_event && !m->is_stopping) {
        m->on_conn_event(m->event_arg, news->event, news->report);
    }
    if (news->event == CONN_CLOSED) {
        closed_ring_add(&m->closed, news->report);
    }
    mem_free(news->report);
    mem_free(news);
}

static void on_event(struct conn_watcher *w, enum conn_event event, struct conn_report *take_report)
{
    struct monitor *m = CONTAINER_OF(w, struct monitor, watcher);
    struct conn_news *news = mem_alloc(sizeof(*news));

    *news = (struct conn_news){
        .item.run = on_news, .monitor = m, .event = event, .report = take_report};
    worker_post(m->control, &news->item);
}

void watch_init(struct monitor *m)
{
    m->watcher.on_event = on_event;
}
