/* SPDX-License-Identifier: Apache-2.0 */
/* An inquiry: reports of connections that are known by their handles. Every worker is asked for
 * those that it has, and makes a few per turn so that nobody waits for it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct conn_report;
struct inquiry_part;
struct shard;
struct worker;

struct inquiry_row {
    uint64_t handle;
    uint32_t subs_from;         // as for conn_report_new_from
    struct conn_report *report; // out: the caller's; NULL: there is no such connection any more
};

struct inquiry {
    struct inquiry_row *rows; // n of them; the caller's, and others' until `done` is called
    size_t n;
    unsigned what; // CONN_REPORT_SUBS, …
    /** All have answered. Thread: that of `home`. */
    void (*done)(struct inquiry *q);
    struct worker *home;        // who asks
    struct inquiry_part *parts; // internal
    unsigned n_awaited;         // internal
};

/**
 * Start an inquiry; its rows, `what` and `done` are set.
 * @param q       stays where it is until `done` is called, which always happens later
 * @param home    the calling worker
 * @param shards  by worker number, [1 .. n_workers] of them are asked
 * Thread: that of `home`.  Blocks: no.
 */
void inquiry_start(struct inquiry *q, struct worker *home, struct shard **shards,
                   unsigned n_workers);
