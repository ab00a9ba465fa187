/* SPDX-License-Identifier: Apache-2.0 */
/* Shards count what they free; the heap is trimmed once that is much. Chunks that lie in the depot
 * for nobody go by halves. */
#include "server/reclaim.h"

#include "base/clock.h"
#include "base/mem.h"
#include "server/server.h"

#define INTERVAL_NS (5 * CLOCK_SEC_NS)
#define LEAST_BYTES (4u << 20)
#define MOST_SHARE 100 // it waits so many times as long as the last one took

static uint64_t count_released(const struct server *s)
{
    uint64_t n = s->reclaim.n_trimmed;

    for (unsigned i = 1; i <= s->n_workers; i++) {
        n += shard_released(s->shards[i]);
    }
    return n;
}

static void on_timer(struct timer *t)
{
    struct reclaim *r = CONTAINER_OF(t, struct reclaim, timer);

    r->n_trimmed += chunk_depot_trim(&r->server->depot);
    uint64_t n = count_released(r->server);
    int64_t wait_ns = INTERVAL_NS;

    if (n - r->n_released >= LEAST_BYTES) {
        int64_t start_ns = clock_now_ns();

        mem_trim();
        r->n_released = n;
        wait_ns += (clock_now_ns() - start_ns) * MOST_SHARE;
    }
    worker_set_timer(r->server->control, &r->timer, clock_now_ns() + wait_ns);
}

void reclaim_start(struct server *s)
{
    struct reclaim *r = &s->reclaim;

    *r = (struct reclaim){.server = s, .timer.fire = on_timer};
    worker_set_timer(s->control, &r->timer, clock_now_ns() + INTERVAL_NS);
}
