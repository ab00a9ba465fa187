/* SPDX-License-Identifier: Apache-2.0 */
/* The course of lame duck mode, on the control thread; workers are asked for the handles of their
 * clients and then told which to close, one at a time. */
#include "server/lame_duck.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "conn/conn.h"
#include "server/acceptor.h"
#include "server/server.h"

#define MAX_INTERVAL_NS CLOCK_SEC_NS
#define NOTIFIED_SPARE_NS (30 * CLOCK_SEC_NS) // for the shutdown that follows

/** The clients of one worker, on their way to the control thread. */
struct client_list {
    struct server *server;
    uint64_t *handles;
    size_t n, cap;
};

struct close_call {
    struct inbox_item item;
    struct shard *shard;
    uint64_t handle;
};

static void run_close(struct worker *w, struct inbox_item *item)
{
    struct close_call *call = CONTAINER_OF(item, struct close_call, item);
    struct conn *c = handle_find(&call->shard->table, call->handle);

    (void)w;
    if (c) {
        conn_close(c, CLOSE_SERVER_SHUTDOWN);
    }
    mem_free(call);
}

static void close_client(struct server *s, uint64_t handle)
{
    struct close_call *call = mem_alloc(sizeof(*call));
    unsigned w = handle_worker(handle);

    *call = (struct close_call){.item.run = run_close, .shard = s->shards[w], .handle = handle};
    worker_post(s->workers[w], &call->item);
}

/* Closes one client and waits a random time of up to interval_ns, at least half of it. */
static void close_next(struct timer *t)
{
    struct lame_duck *d = CONTAINER_OF(t, struct lame_duck, timer);
    struct server *s = d->server;

    if (d->next < d->n_clients) {
        close_client(s, d->clients[d->next++]);
    }
    if (d->next == d->n_clients) {
        server_shutdown(s);
        return;
    }
    int64_t wait = (int64_t)((double)random() / 2147483648.0 * (double)d->interval_ns);
    if (wait < d->interval_ns / 2) {
        wait = d->interval_ns / 2;
    }
    worker_set_timer(s->control, &d->timer, clock_now_ns() + wait);
}

static void start_closing(struct lame_duck *d)
{
    const struct server_options *o = &d->server->config->server;
    int64_t total = o->lame_duck_duration_ns - o->lame_duck_grace_period_ns;

    if (total <= 0) {
        total = CLOCK_SEC_NS;
    }
    d->interval_ns = d->n_clients ? total / (int64_t)d->n_clients : 0;
    if (d->interval_ns > MAX_INTERVAL_NS) {
        d->interval_ns = MAX_INTERVAL_NS;
    }
    d->timer.fire = close_next;
    close_next(&d->timer);
}

/* One thing less to wait for: the lists of the workers, the end of the grace period. */
static void go_on(struct lame_duck *d)
{
    if (--d->n_awaited == 0 && !d->server->is_shutting_down) {
        log_info("Closing existing clients");
        start_closing(d);
    }
}

static void on_listed(void *arg)
{
    struct client_list *l = arg;
    struct lame_duck *d = &l->server->lame_duck;

    if (l->n) {
        d->clients = mem_realloc(d->clients, (d->n_clients + l->n) * sizeof(uint64_t));
        memcpy(d->clients + d->n_clients, l->handles, l->n * sizeof(uint64_t));
        d->n_clients += l->n;
    }
    mem_free(l->handles);
    mem_free(l);
    go_on(d);
}

static void list_client(struct conn *c, void *arg)
{
    struct client_list *l = arg;

    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        l->handles = mem_realloc(l->handles, l->cap * sizeof(uint64_t));
    }
    l->handles[l->n++] = c->handle;
}

static void list_clients(struct shard *sh, void *arg)
{
    struct server *s = arg;
    struct client_list *l = mem_zalloc(sizeof(*l));

    l->server = s;
    shard_for_each(sh, list_client, l);
    worker_call(s->control, on_listed, l);
}

static void end_grace(struct timer *t)
{
    go_on(CONTAINER_OF(t, struct lame_duck, timer));
}

static void announce(struct shard *sh, void *arg)
{
    (void)arg;
    client_announce_lame_duck(sh);
}

void lame_duck_enter(struct server *s)
{
    struct lame_duck *d = &s->lame_duck;

    if (s->is_shutting_down || lame_duck_is_on(d)) {
        return;
    }
    d->server = s;
    s->monitor.is_lame_duck = true;
    system_tell_lame_duck(&s->system);
    acceptor_stop(s);
    log_info("Entering lame duck mode, stop accepting new clients");
    if (atomic_load(&s->clients.stats.n_open) == 0) {
        server_shutdown(s);
        return;
    }
    notify_stopping(&s->notify, "Lame duck mode: closing clients one by one",
                    s->config->server.lame_duck_duration_ns + NOTIFIED_SPARE_NS);
    atomic_store(&s->clients.is_lame_duck, true);
    d->n_awaited = s->n_workers + 1;
    server_post_all(s, announce, NULL);
    server_post_all(s, list_clients, s);
    d->timer.fire = end_grace;
    worker_set_timer(s->control, &d->timer,
                     clock_now_ns() + s->config->server.lame_duck_grace_period_ns);
}

void lame_duck_stop(struct lame_duck *d)
{
    if (d->server) {
        worker_clear_timer(d->server->control, &d->timer);
    }
}

void lame_duck_deinit(struct lame_duck *d)
{
    mem_free(d->clients);
    d->clients = NULL;
}
