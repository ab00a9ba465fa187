/* SPDX-License-Identifier: Apache-2.0 */
/* The turn of a worker on libuv: uv_check runs after the ready descriptors were handled and reads
 * the clock before them; uv_prepare runs before the next wait and ends the turn. Sleeping is
 * announced in `is_asleep` before the inbox is looked at for the last time, so a post either is
 * seen then or wakes. */
#include "io/worker.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"

/** So often is the inbox run before the sockets have their turn, too. */
#define MOST_ROUNDS 16u

static void run_all(struct worker *w, struct inbox_item *item)
{
    while (item) {
        struct inbox_item *next = item->next;

        item->run(w, item);
        item = next;
    }
}

void worker_run_inbox(struct worker *w)
{
    if (!inbox_is_empty(&w->inbox)) {
        run_all(w, inbox_take(&w->inbox));
    }
}

void worker_defer(struct worker *w, struct inbox_item *item)
{
    item->next = w->deferred;
    w->deferred = item;
}

static void run_deferred(struct worker *w)
{
    struct inbox_item *item = w->deferred;

    w->deferred = NULL;
    run_all(w, item);
}

static void on_alarm(uv_timer_t *t)
{
    struct worker *w = t->data;

    w->alarm_ns = INT64_MAX;
}

/* Timers fire at millisecond grain, never early. */
static void arm_alarm(struct worker *w)
{
    int64_t due = timer_next_due(&w->timers);

    if (due == w->alarm_ns) {
        return;
    }
    w->alarm_ns = due;
    if (due == INT64_MAX) {
        uv_timer_stop(&w->alarm);
        return;
    }
    int64_t now = clock_now_ns();
    uint64_t wait_ms = due > now ? (uint64_t)((due - now + CLOCK_MS_NS - 1) / CLOCK_MS_NS) : 0;
    uv_update_time(&w->loop);
    uv_timer_start(&w->alarm, on_alarm, wait_ms, 0);
}

static void on_wake(uv_async_t *a)
{
    (void)a;
}

static void on_check(uv_check_t *c)
{
    struct worker *w = c->data;

    atomic_store_explicit(&w->is_asleep, false, memory_order_relaxed);
}

static void on_prepare(uv_prepare_t *p)
{
    struct worker *w = p->data;

    bool wants_more = false;
    unsigned n_rounds = 0;
    run_deferred(w);
    do {
        w->now_ns = clock_now_ns();
        atomic_store_explicit(&w->is_asleep, false, memory_order_relaxed);
        worker_run_inbox(w);
        timer_run_due(&w->timers, w->now_ns);
        wants_more = w->on_turn_end ? w->on_turn_end(w, w->turn_arg) : false;
        atomic_store(&w->is_asleep, true);
    } while (!inbox_is_empty(&w->inbox) && !w->is_stopping && ++n_rounds < MOST_ROUNDS);
    if (wants_more || n_rounds == MOST_ROUNDS || w->deferred) {
        uv_async_send(&w->wake);
    }
    arm_alarm(w);
    w->has_waited = true; // when there is an event
    if (w->is_stopping) {
        uv_stop(&w->loop);
    }
}

unsigned worker_count_cores(void)
{
    return uv_available_parallelism();
}

enum status worker_init(struct worker *w, unsigned index)
{
    *w = (struct worker){.index = index, .alarm_ns = INT64_MAX};
    int e = uv_loop_init(&w->loop);
    if (e) {
        return (enum status)e;
    }
    w->loop.data = w;
    w->prepare.data = w;
    w->check.data = w;
    w->alarm.data = w;
    w->wake.data = w;
    e = uv_async_init(&w->loop, &w->wake, on_wake);
    if (e) {
        uv_loop_close(&w->loop);
        return (enum status)e;
    }
    uv_prepare_init(&w->loop, &w->prepare);
    uv_check_init(&w->loop, &w->check);
    uv_timer_init(&w->loop, &w->alarm);
    uv_prepare_start(&w->prepare, on_prepare);
    uv_check_start(&w->check, on_check);
    w->now_ns = clock_now_ns();
    return ST_OK;
}

void worker_on_turn_end(struct worker *w, bool (*fn)(struct worker *w, void *arg), void *arg)
{
    w->on_turn_end = fn;
    w->turn_arg = arg;
}

void worker_run(struct worker *w)
{
    uv_run(&w->loop, UV_RUN_DEFAULT);
}

static void *thread_main(void *arg)
{
    struct worker *w = arg;
    char name[16];

    snprintf(name, sizeof(name), "worker-%u", w->index);
    pthread_setname_np(pthread_self(), name);
    worker_run(w);
    return NULL;
}

enum status worker_start(struct worker *w)
{
    return (enum status)(-pthread_create(&w->thread, NULL, thread_main, w));
}

void worker_stop(struct worker *w)
{
    w->is_stopping = true;
    atomic_store_explicit(&w->skips_jobs, true, memory_order_relaxed);
}

void worker_join(struct worker *w)
{
    pthread_join(w->thread, NULL);
}

static void close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h)) {
        uv_close(h, NULL);
    }
}

void worker_deinit(struct worker *w)
{
    while (!inbox_is_empty(&w->inbox) || w->deferred) { // what is run may post to ourselves
        worker_run_inbox(w);
        run_deferred(w);
    }
    if (w->on_turn_end) {
        w->on_turn_end(w, w->turn_arg);
    }
    uv_walk(&w->loop, close_handle, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    ENSURE(uv_loop_close(&w->loop) == 0);
    timer_heap_deinit(&w->timers);
}

void worker_post(struct worker *w, struct inbox_item *item)
{
    inbox_push(&w->inbox, item);
    if (atomic_load(&w->is_asleep) && atomic_exchange(&w->is_asleep, false)) {
        uv_async_send(&w->wake);
    }
}

struct call {
    struct inbox_item item;
    void (*fn)(void *arg);
    void *arg;
};

static void run_call(struct worker *w, struct inbox_item *item)
{
    struct call *c = CONTAINER_OF(item, struct call, item);

    (void)w;
    c->fn(c->arg);
    mem_free(c);
}

void worker_call(struct worker *w, void (*fn)(void *arg), void *arg)
{
    struct call *c = mem_alloc(sizeof(*c));

    *c = (struct call){.item.run = run_call, .fn = fn, .arg = arg};
    worker_post(w, &c->item);
}
