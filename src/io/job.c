/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs are uv_work_t with their callbacks in our form. */
#include "io/job.h"

#include <stdlib.h>

#include "base/attr.h"
#include "base/decimal.h"
#include "io/worker.h"

#define MAX_THREADS 4u

static void run(uv_work_t *work)
{
    struct job *j = CONTAINER_OF(work, struct job, work);
    struct worker *w = CONTAINER_OF(work->loop, struct worker, loop);

    if (!atomic_load_explicit(&w->skips_jobs, memory_order_relaxed)) {
        j->run(j);
    }
}

static void done(uv_work_t *work, int status)
{
    struct job *j = CONTAINER_OF(work, struct job, work);

    (void)status; // jobs are never cancelled
    j->done(j);
}

void job_init(void)
{
    unsigned n_cores = worker_count_cores();
    unsigned n = n_cores > MAX_THREADS ? MAX_THREADS : n_cores > 1 ? n_cores - 1 : 1;
    char text[DECIMAL_MAX + 1];

    *decimal_write(text, n) = '\0';
    setenv("UV_THREADPOOL_SIZE", text, 0); // NOLINT(concurrency-mt-unsafe): the only thread yet
}

void job_start(struct worker *w, struct job *j)
{
    ENSURE(uv_queue_work(&w->loop, &j->work, run, done) == 0);
}
