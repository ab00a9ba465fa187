/* SPDX-License-Identifier: Apache-2.0 */
/* A record for each account that has, or had, clients. The global account has none: it sends no
 * such events by itself. */
#include "system/account_watch.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/ptrset.h"
#include "broker/account.h"
#include "io/worker.h"
#include "monitor/account_stats.h"
#include "monitor/monitor.h"
#include "system/event.h"
#include "system/system.h"

#define HEARTBEAT_NS (30 * CLOCK_SEC_NS)

static uint64_t hash_of(const void *element, const void *arg)
{
    const struct account_watch *w = element;

    return ptrset_hash_pointer(w->account, arg);
}

static bool is_of(const void *element, const void *key)
{
    const struct account_watch *w = element;

    return w->account == key;
}

/* ---- the event ---- */

static void write_event(struct system *s, const struct event_stamp *e, const struct account *a,
                        int64_t n_clients, struct buf *out)
{
    struct json j = json_to(out);

    event_open(s, e, &j);
    account_stats_write(&j, a, n_clients);
    json_close_object(&j);
}

void account_watch_write(struct system *s, const struct account *a, int64_t n_clients,
                         struct buf *out)
{
    struct event_stamp e = event_new(s, EVENT_CONNS, 0);

    write_event(s, &e, a, n_clients, out);
}

static void tell(const struct account_watch *w)
{
    static const struct {
        const char *before, *after;
    } subjects[] = {{"$SYS.SERVER.ACCOUNT.", ".CONNS"}, // the old one first
                    {"$SYS.ACCOUNT.", ".SERVER.CONNS"}};
    struct system *s = w->system;
    struct event_stamp e = event_new(s, EVENT_CONNS, 0);
    struct buf subject = {0};
    struct buf text = {0};

    for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
        subject.n = text.n = 0;
        buf_printf(&subject, "%s%s%s", subjects[i].before, w->account->name, subjects[i].after);
        if (outbox_wants(&s->outbox, s->account, buf_str(&subject))) {
            write_event(s, &e, w->account, w->n_clients, &text);
            outbox_post(&s->outbox, s->account, buf_str(&subject), (struct str){0}, buf_str(&text));
        }
    }
    buf_deinit(&subject);
    buf_deinit(&text);
}

/* And once more when nothing has happened for some time. */
static void tell_now_and_later(struct account_watch *w)
{
    struct worker *control = w->system->monitor->control;

    tell(w);
    if (w->n_clients > 0) {
        worker_set_timer(control, &w->heartbeat, clock_now_ns() + HEARTBEAT_NS);
    } else {
        worker_clear_timer(control, &w->heartbeat);
    }
}

static void on_heartbeat(struct timer *t)
{
    struct account_watch *w = CONTAINER_OF(t, struct account_watch, heartbeat);

    if (!w->system->monitor->is_stopping) {
        tell_now_and_later(w);
    }
}

/* ---- the counts ---- */

static struct account_watch *find_or_add(struct system *s, struct account *a)
{
    uint64_t hash = ptrset_hash_pointer(a, NULL);
    struct account_watch *w = ptrset_find(&s->watches, hash, is_of, a);

    if (!w) {
        w = mem_alloc(sizeof(*w));
        *w = (struct account_watch){.account = a, .system = s, .heartbeat.fire = on_heartbeat};
        ptrset_add(&s->watches, hash, w, hash_of, NULL);
    }
    return w;
}

void account_watch_count(struct system *s, struct account *a, int64_t difference)
{
    if (!str_equal(str_of(a->name), STR(ACCOUNT_GLOBAL))) {
        struct account_watch *w = find_or_add(s, a);

        w->n_clients += difference;
        tell_now_and_later(w);
    }
}

void account_watch_deinit(struct system *s)
{
    uint32_t at = 0;

    for (struct account_watch *w; (w = ptrset_next(&s->watches, &at)) != NULL;) {
        mem_free(w);
    }
    ptrset_deinit(&s->watches);
}
