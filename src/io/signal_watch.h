/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as events of a worker. */
#pragma once

#include <uv.h>

#include "io/worker.h"

struct signal_watch {
    uv_signal_t handle;
    void (*fn)(int number, void *arg);
    void *arg;
};

/**
 * Call fn(number, arg) in a turn of the worker whenever the process gets the signal.
 * Thread: the worker, or control before it runs.
 */
void signal_watch_start(struct signal_watch *s, struct worker *w, int number,
                        void (*fn)(int number, void *arg), void *arg);

/** Have no more calls; what was never started may be stopped. The loop must still be there, and
 * releases the rest when it ends. Thread: the worker. */
void signal_watch_stop(struct signal_watch *s);
