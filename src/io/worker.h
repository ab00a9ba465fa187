/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: one thread, one event loop, one inbox, one heap of timers. What it serves hangs on it
 * by way of a turn hook. A turn is: wait, handle what is ready, run due timers and the inbox, end
 * of turn. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/status.h"
#include "io/inbox.h"
#include "io/timer.h"

struct worker {
    uv_loop_t loop;
    uv_prepare_t prepare; // end of turn
    uv_check_t check;     // the clock is read once per turn
    uv_timer_t alarm;     // set to the first of timers
    uv_async_t wake;
    struct timer_heap timers;
    int64_t now_ns;       // [ns] monotonic time at which this turn began, or had its first event
    int64_t alarm_ns;     // when `alarm` is set to go off; INT64_MAX: not set
    int64_t toil_turn_ns; // the turn, by its beginning, that toil_ns counts in
    int64_t toil_ns;      // [ns] spent on what may wait for another turn (io/tls_stream.c)
    bool (*on_turn_end)(struct worker *w, void *arg); // returns whether to take another turn now
    void *turn_arg;
    unsigned index;              // its number: 0 is the control thread
    struct inbox_item *deferred; // to be run when the sockets have had their turn
    bool is_stopping;
    bool has_waited; // since now_ns was read, perhaps for long
    pthread_t thread;
    _Alignas(CACHE_LINE_BYTES) struct inbox inbox;
    _Atomic bool is_asleep;  // may be waiting in the kernel: a post must wake it
    _Atomic bool skips_jobs; // it has been stopped: nobody waits for what is not begun (io/job.h)
};

/** @return  how many workers can run at once on this machine, as far as we may use it. Thread: any.
 */
unsigned worker_count_cores(void);

/**
 * Prepare a worker; nothing runs yet.
 * @return  ST_OK, or the operating system's error
 * Thread: control.
 */
MUST_USE enum status worker_init(struct worker *w, unsigned index);

/** Call `fn` at the end of every turn. Thread: before the worker runs. */
void worker_on_turn_end(struct worker *w, bool (*fn)(struct worker *w, void *arg), void *arg);

/** Run the loop on a thread of its own, named "worker-N". Thread: control. */
MUST_USE enum status worker_start(struct worker *w);

/** Run the loop on the calling thread until worker_stop. Thread: control. */
void worker_run(struct worker *w);

/** End the loop after the present turn. Thread: the worker. */
void worker_stop(struct worker *w);

/** Wait for a started worker to end. Thread: control. */
void worker_join(struct worker *w);

/**
 * Close what is left in the loop and release it; items still in the inbox are run first.
 * Thread: control, after the worker ended.
 */
void worker_deinit(struct worker *w);

/**
 * Hand an item to a worker, which runs it in its next turn. The only way into another thread.
 * @param item  owned by the worker from now on
 * Thread: any.  Blocks: no.
 */
void worker_post(struct worker *w, struct inbox_item *item);

/**
 * Have a worker run fn(arg) in its next turn; worker_post for when there is nothing to embed an
 * item in.
 * Thread: any.  Blocks: no.
 */
void worker_call(struct worker *w, void (*fn)(void *arg), void *arg);

/** Have an item run in the next turn, once, after the sockets have been served: for long work in
 * slices. Thread: the worker. */
void worker_defer(struct worker *w, struct inbox_item *item);

/**
 * Run what is in the inbox now, in the middle of a turn. Whoever has read bytes from a socket does
 * so before acting on them: what was posted before those bytes were sent must come first.
 * Thread: the worker.
 */
void worker_run_inbox(struct worker *w);

/** An event has come: the first one of a turn sets its clock right. Thread: the worker. */
static inline void worker_note_event(struct worker *w)
{
    if (w->has_waited) {
        w->has_waited = false;
        w->now_ns = clock_now_ns();
    }
}

/** Set or move a timer of this worker. Thread: the worker. */
static inline void worker_set_timer(struct worker *w, struct timer *t, int64_t due_ns)
{
    timer_set(&w->timers, t, due_ns);
}

/** Forget a timer of this worker if it is set. Thread: the worker. */
static inline void worker_clear_timer(struct worker *w, struct timer *t)
{
    timer_clear(&w->timers, t);
}
