/* SPDX-License-Identifier: Apache-2.0 */
/* Begin and end. */
#include "system/system.h"

#include "base/attr.h"
#include "base/mem.h"
#include "broker/account.h"
#include "broker/index.h"
#include "broker/sub.h"
#include "conn/handle.h"
#include "monitor/monitor.h"
#include "system/account_watch.h"
#include "system/event.h"
#include "system/services.h"

void system_add_sub(struct system *s, struct sub *take_sub)
{
    s->subs = mem_realloc(s->subs, (s->n_subs + 1) * sizeof(s->subs[0]));
    s->subs[s->n_subs++] = take_sub;
    index_add(s->account->index, take_sub);
}

/* Services that workers answer themselves. */
static void open_inline_services(struct system *s)
{
    static const struct {
        const char *subject;
        const struct peer_ops *ops;
    } services[] = {{"$SYS.REQ.USER.*.INFO", &user_info_ops},
                    {"$SYS.DEBUG.SUBSCRIBERS", &subscribers_ops}};

    for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
        system_add_sub(s, sub_new(HANDLE_NONE, services[i].ops, str_of(services[i].subject),
                                  (struct str){0}, (struct str){0}));
    }
}

void system_open(struct system *s, struct monitor *monitor, struct str server_id,
                 struct delivery *delivery)
{
    *s = (struct system){.monitor = monitor, .account = monitor->system, .server_id = server_id};
    if (!s->account) {
        return;
    }
    outbox_init(&s->outbox, monitor->control, delivery, monitor->block);
    nuid_init(&s->nuid);
    request_queue_init(s);
    s->services = services_new(&s->n_services);
    for (size_t i = 0; i < s->n_services; i++) {
        service_open(s, &s->services[i]);
    }
    open_inline_services(s);
    monitor->on_conn_event = event_on_conn;
    monitor->event_arg = s;
    statsz_start(s);
}

void system_close(struct system *s)
{
    for (size_t i = 0; i < s->n_subs; i++) {
        index_remove(s->account->index, s->subs[i]);
        sub_unref(s->subs[i]);
    }
    mem_free(s->subs);
    mem_free(s->services);
    request_queue_deinit(s);
    account_watch_deinit(s);
    *s = (struct system){0};
}

void system_reload(struct system *s, void (*done)(void *arg, struct str error), void *arg)
{
    s->reload(s->reload_arg, done, arg);
}

void system_tell_lame_duck(struct system *s)
{
    if (s->account) {
        event_announce(s, "LAMEDUCK");
    }
}

void system_tell_shutdown(struct system *s, void (*done)(void *arg), void *arg)
{
    if (s->account) {
        event_announce(s, "SHUTDOWN");
        outbox_close(&s->outbox, done, arg);
    } else {
        done(arg);
    }
}
