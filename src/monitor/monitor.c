/* SPDX-License-Identifier: Apache-2.0 */
/* Facts that are sums. */
#include "monitor/monitor.h"

#include "base/clock.h"
#include "base/mem.h"
#include "broker/account.h"
#include "broker/accounts.h"
#include "broker/index.h"
#include "conn/conn_stats.h"
#include "conn/shard.h"
#include "monitor/docs.h"
#include "monitor/facts.h"
#include "monitor/watch.h"

void monitor_init(struct monitor *m, struct shard **shards, unsigned n_workers,
                  struct accounts *accounts, const struct conn_stats *clients)
{
    *m = (struct monitor){.control = shards[0]->worker,
                          .shards = shards,
                          .n_workers = n_workers,
                          .accounts = accounts,
                          .clients = clients,
                          .start_ns = clock_wall_ns(),
                          .n_requests = mem_zalloc(docs_count() * sizeof(m->n_requests[0]))};
    watch_init(m);
    cpu_meter_start(&m->cpu, m->control);
}

void monitor_configure(struct monitor *m, const struct monitor_facts *facts,
                       const struct tenancy *tenancy)
{
    m->facts = facts;
    m->tenancy = tenancy;
    closed_ring_resize(&m->closed, facts->max_closed_clients);
}

void monitor_deinit(struct monitor *m)
{
    closed_ring_deinit(&m->closed);
    mem_free(m->n_requests);
    *m = (struct monitor){0};
}

struct traffic monitor_traffic(const struct monitor *m)
{
    struct traffic sum = {0};
    size_t n;
    struct account **accounts = accounts_list(m->accounts, &n);

    for (size_t i = 0; i < n; i++) {
        struct traffic t = account_traffic(accounts[i]);

        sum.in_msgs += t.in_msgs;
        sum.in_bytes += t.in_bytes;
        sum.out_msgs += t.out_msgs;
        sum.out_bytes += t.out_bytes;
    }
    mem_free(accounts);
    return sum;
}

uint64_t monitor_count_slow(const struct monitor *m)
{
    return atomic_load(&m->clients->n_slow_pending) + atomic_load(&m->clients->n_slow_deadline);
}

uint64_t monitor_count_subs(const struct monitor *m)
{
    uint64_t sum = 0;
    size_t n;
    struct account **accounts = accounts_list(m->accounts, &n);

    for (size_t i = 0; i < n; i++) {
        sum += index_count(accounts[i]->index);
    }
    mem_free(accounts);
    return sum;
}
