/* SPDX-License-Identifier: Apache-2.0 */
/* What there is to watch: where documents (monitor/doc.h), events and metrics get their facts from.
 * Lives on the control thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "conn/conn_report.h"
#include "conn/tally.h"
#include "monitor/closed_ring.h"
#include "monitor/cpu_meter.h"

struct account;
struct accounts;
struct conn_stats;
struct monitor_facts;
struct server_block;
struct shard;
struct tenancy;
struct worker;

struct monitor {
    struct worker *control;
    struct shard **shards; // by worker number
    unsigned n_workers;
    struct accounts *accounts;
    struct account *system;           // the system account; NULL: there is none
    const struct conn_stats *clients; // of all client connections
    struct server_block *block;       // what events and replies say of the server
    /* What the configuration says; a reload replaces them. */
    const struct monitor_facts *facts;
    const struct tenancy *tenancy;
    int64_t start_ns;            // since 1970
    struct closed_ring closed;   // connections that are gone
    struct conn_watcher watcher; // how they are told of
    uint64_t *n_requests;        // over HTTP, by document (monitor/docs.h)
    uint64_t n_root_requests;    // likewise, for the page at "/"
    struct cpu_meter cpu;
    bool is_lame_duck; // no new connections
    bool is_stopping;  // what is asked now is not answered
    /** Is told of everything that happens to connections, before the monitor acts on it; NULL:
     * nobody is. Thread: control. */
    void (*on_conn_event)(void *arg, enum conn_event event, const struct conn_report *r);
    void *event_arg;
};

/**
 * Prepare; what is borrowed outlives it.
 * @param accounts  with all that is configured
 * Thread: control (as for all here), before the workers run.
 */
void monitor_init(struct monitor *m, struct shard **shards, unsigned n_workers,
                  struct accounts *accounts, const struct conn_stats *clients);

/** What the configuration says from now on. @param facts, tenancy  borrowed until the next call or
 * the end. */
void monitor_configure(struct monitor *m, const struct monitor_facts *facts,
                       const struct tenancy *tenancy);

/** Release it. After the workers ended. */
void monitor_deinit(struct monitor *m);

/** @return  the messages of all accounts so far. */
struct traffic monitor_traffic(const struct monitor *m);

/** @return  how many clients were closed as they were too slow. */
uint64_t monitor_count_slow(const struct monitor *m);

/** @return  the subscriptions of all accounts. */
uint64_t monitor_count_subs(const struct monitor *m);
