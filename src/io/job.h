/* SPDX-License-Identifier: Apache-2.0 */
/* Work that may take long (a password hash, a file that stalls): done by libuv's thread pool,
 * reported to the worker that asked. It gets values and touches nothing shared. */
#pragma once

#include <uv.h>

struct worker;

/** Embedded in the asker's own struct, which holds what the work needs and what came of it. */
struct job {
    uv_work_t work;
    void (*run)(struct job *j);  // on a thread of the pool
    void (*done)(struct job *j); // on the worker's thread; the job belongs to it again
};

/**
 * Say how many threads do jobs: one less than there are cores, so that a storm of them (logins,
 * whose passwords are hashed) leaves those who serve connections a core. Threads are made when they
 * are needed. The environment's UV_THREADPOOL_SIZE wins.
 * Thread: main, before others start.
 */
void job_init(void);

/**
 * Have a job done. It must stay where it is until `done` is called, which happens even if whoever
 * asked is gone by then. When the worker has been stopped `run` may be left out.
 * Thread: the worker.  Blocks: no.
 */
void job_start(struct worker *w, struct job *j);
