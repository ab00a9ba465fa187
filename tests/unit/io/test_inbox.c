/* SPDX-License-Identifier: Apache-2.0 */
/* io/inbox.h and worker_post: nothing is lost, nothing comes twice, each thread's items stay in
 * order, and a worker that sleeps is woken. */
#include "io/inbox.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/mem.h"
#include "io/worker.h"

#define N_POSTERS 4u
#define N_ITEMS 20000u // of each poster
#define N_ROUNDS 2000u

struct number {
    struct inbox_item item;
    unsigned poster;
    uint32_t n;
};

struct poster {
    pthread_t thread;
    unsigned index;
    struct inbox *inbox;   // where to, or
    struct worker *worker; // to whom
};

static uint32_t next_of[N_POSTERS]; // what is expected of each
static _Atomic uint32_t n_run;

static void take_number(struct number *k)
{
    assert_int_equal(k->n, next_of[k->poster]);
    next_of[k->poster]++;
    mem_free(k);
}

static void run_number(struct worker *w, struct inbox_item *item)
{
    (void)w;
    take_number(CONTAINER_OF(item, struct number, item));
    if (atomic_fetch_add(&n_run, 1) + 1 == N_POSTERS * N_ITEMS) {
        worker_stop(w);
    }
}

static void *post_numbers(void *arg)
{
    struct poster *p = arg;

    for (uint32_t i = 0; i < N_ITEMS; i++) {
        struct number *k = mem_alloc(sizeof(*k));

        *k = (struct number){.item.run = run_number, .poster = p->index, .n = i};
        if (p->inbox) {
            inbox_push(p->inbox, &k->item);
        } else {
            worker_post(p->worker, &k->item);
        }
        if (i % 1000 == 0) {
            sched_yield();
        }
    }
    return NULL;
}

static void start_posters(struct poster *posters, struct inbox *inbox, struct worker *worker)
{
    atomic_store(&n_run, 0);
    for (unsigned i = 0; i < N_POSTERS; i++) {
        next_of[i] = 0;
        posters[i] = (struct poster){.index = i, .inbox = inbox, .worker = worker};
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_numbers, &posters[i]), 0);
    }
}

static void join_posters(struct poster *posters)
{
    for (unsigned i = 0; i < N_POSTERS; i++) {
        pthread_join(posters[i].thread, NULL);
        assert_int_equal(next_of[i], N_ITEMS);
    }
}

static void test_order(void **state)
{
    struct inbox inbox = {0};
    struct inbox_item items[3] = {0};

    (void)state;
    assert_true(inbox_is_empty(&inbox));
    assert_null(inbox_take(&inbox));
    assert_true(inbox_push(&inbox, &items[0]));
    assert_false(inbox_push(&inbox, &items[1]));
    assert_false(inbox_push(&inbox, &items[2]));
    assert_false(inbox_is_empty(&inbox));
    struct inbox_item *first = inbox_take(&inbox);
    assert_ptr_equal(first, &items[0]);
    assert_ptr_equal(first->next, &items[1]);
    assert_ptr_equal(first->next->next, &items[2]);
    assert_null(items[2].next);
    assert_true(inbox_is_empty(&inbox));
    assert_true(inbox_push(&inbox, &items[0]));
    assert_ptr_equal(inbox_take(&inbox), &items[0]);
    assert_null(items[0].next);
}

static void test_threads(void **state)
{
    struct inbox inbox = {0};
    struct poster posters[N_POSTERS];
    uint32_t n = 0;

    (void)state;
    start_posters(posters, &inbox, NULL);
    while (n < N_POSTERS * N_ITEMS) {
        for (struct inbox_item *item = inbox_take(&inbox), *next; item; item = next, n++) {
            next = item->next;
            take_number(CONTAINER_OF(item, struct number, item));
        }
    }
    join_posters(posters);
    assert_true(inbox_is_empty(&inbox));
}

static struct worker *worker_new(unsigned index)
{
    struct worker *w = mem_zalloc_aligned(sizeof(*w));

    assert_int_equal(worker_init(w, index), ST_OK);
    return w;
}

static void worker_free(struct worker *w)
{
    worker_deinit(w);
    mem_free(w);
}

static void test_worker_gets_all(void **state)
{
    struct worker *w = worker_new(1);
    struct poster posters[N_POSTERS];

    (void)state;
    assert_int_equal(worker_start(w), ST_OK);
    start_posters(posters, NULL, w);
    worker_join(w); // it stops itself when it has seen all
    join_posters(posters);
    worker_free(w);
}

/** A ball that two workers play to each other, mostly while the other one sleeps. */
struct ball {
    struct inbox_item item;
    struct worker *from;
    uint32_t n_left;
};

static void stop_it(struct worker *w, struct inbox_item *item)
{
    (void)item;
    worker_stop(w);
}

static void return_ball(struct worker *w, struct inbox_item *item)
{
    static struct inbox_item stop = {.run = stop_it};
    struct ball *b = CONTAINER_OF(item, struct ball, item);
    struct worker *to = b->from;

    b->from = w;
    if (b->n_left-- == 0) {
        worker_stop(w);
        worker_post(to, &stop);
    } else {
        worker_post(to, &b->item);
    }
}

/* A wake-up that gets lost would leave both asleep for ever. */
static void test_no_wake_up_is_lost(void **state)
{
    struct worker *a = worker_new(1);
    struct worker *b = worker_new(2);
    struct ball ball = {.item.run = return_ball, .from = a, .n_left = N_ROUNDS};

    (void)state;
    assert_int_equal(worker_start(a), ST_OK);
    assert_int_equal(worker_start(b), ST_OK);
    worker_post(b, &ball.item);
    worker_join(a);
    worker_join(b);
    worker_free(a);
    worker_free(b);
}

/* What nobody ran any more is run when the worker is released. */
static void test_deinit_runs_the_rest(void **state)
{
    struct worker *w = worker_new(1);
    struct number *k = mem_alloc(sizeof(*k));

    (void)state;
    next_of[0] = 0;
    *k = (struct number){.item.run = run_number};
    worker_post(w, &k->item);
    worker_free(w);
    assert_int_equal(next_of[0], 1);
}

/** An item that posts itself again as long as the worker runs. */
struct treadmill {
    struct inbox_item item;
    bool is_over;
};

static void run_again(struct worker *w, struct inbox_item *item)
{
    struct treadmill *t = CONTAINER_OF(item, struct treadmill, item);

    if (!t->is_over) {
        worker_post(w, item);
    }
}

static void on_pipe(uv_poll_t *poll, int status, int events)
{
    struct treadmill *t = poll->data;

    assert_int_equal(status, 0);
    assert_int_equal(events, UV_READABLE);
    t->is_over = true;
    uv_poll_stop(poll);
    worker_stop(CONTAINER_OF(poll->loop, struct worker, loop));
}

/* An inbox that is never empty does not keep the worker from its sockets. */
static void test_sockets_have_their_turn(void **state)
{
    struct worker *w = worker_new(1);
    struct treadmill t = {.item.run = run_again};
    uv_poll_t poll;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(uv_poll_init(&w->loop, &poll, fds[0]), 0);
    poll.data = &t;
    uv_poll_start(&poll, UV_READABLE, on_pipe);
    worker_post(w, &t.item);
    assert_int_equal(worker_start(w), ST_OK);
    assert_int_equal(write(fds[1], "x", 1), 1);
    worker_join(w);
    worker_free(w);
    close(fds[0]);
    close(fds[1]);
}

/** Timers of a worker that runs. */
struct alarm {
    struct timer timer;
    struct worker *worker;
    int64_t fired_ns;
    bool is_last;
};

static void on_alarm(struct timer *t)
{
    struct alarm *a = CONTAINER_OF(t, struct alarm, timer);

    a->fired_ns = clock_now_ns();
    if (a->is_last) {
        worker_stop(a->worker);
    }
}

/* Never early, in order, and not only when something else happens. */
static void test_timers_fire(void **state)
{
    struct worker *w = worker_new(1);
    struct alarm alarms[3];
    int64_t start_ns = clock_now_ns();

    (void)state;
    for (int i = 0; i < 3; i++) {
        alarms[i] = (struct alarm){.timer.fire = on_alarm, .worker = w, .is_last = i == 2};
        worker_set_timer(w, &alarms[i].timer, start_ns + (i + 1) * 10 * CLOCK_MS_NS);
    }
    assert_int_equal(worker_start(w), ST_OK);
    worker_join(w);
    for (int i = 0; i < 3; i++) {
        assert_true(alarms[i].fired_ns >= start_ns + (i + 1) * 10 * CLOCK_MS_NS);
        assert_true(i == 0 || alarms[i].fired_ns >= alarms[i - 1].fired_ns);
    }
    worker_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_worker_gets_all),
        cmocka_unit_test(test_no_wake_up_is_lost),
        cmocka_unit_test(test_deinit_runs_the_rest),
        cmocka_unit_test(test_sockets_have_their_turn),
        cmocka_unit_test(test_timers_fire),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
