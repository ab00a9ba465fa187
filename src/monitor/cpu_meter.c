/* SPDX-License-Identifier: Apache-2.0 */
/* Looked at once per second, as nats-server does: so it does not depend on how often is asked. */
#include "monitor/cpu_meter.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/process.h"
#include "io/worker.h"

static void look(struct cpu_meter *c)
{
    int64_t wall_ns = clock_now_ns();
    int64_t cpu_ns = process_cpu_ns();

    if (wall_ns > c->wall_ns) {
        int64_t permille = (cpu_ns - c->cpu_ns) * 1000 / (wall_ns - c->wall_ns);

        c->percent = (double)permille / 10;
    }
    c->wall_ns = wall_ns;
    c->cpu_ns = cpu_ns;
}

static void on_tick(struct timer *t)
{
    struct cpu_meter *c = CONTAINER_OF(t, struct cpu_meter, tick);

    look(c);
    worker_set_timer(c->worker, &c->tick, c->wall_ns + CLOCK_SEC_NS);
}

void cpu_meter_start(struct cpu_meter *c, struct worker *worker)
{
    *c = (struct cpu_meter){.worker = worker,
                            .tick.fire = on_tick,
                            .wall_ns = clock_now_ns(),
                            .cpu_ns = process_cpu_ns()};
    worker_set_timer(worker, &c->tick, c->wall_ns + CLOCK_SEC_NS);
}
