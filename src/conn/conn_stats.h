/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of all connections of a kind. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/** Written by any worker, read by any thread. */
struct conn_stats {
    _Atomic int64_t n_open;
    _Atomic uint64_t n_total;                         // accepted since the start
    _Atomic uint64_t n_slow_pending, n_slow_deadline; // slow consumers by cause
    _Atomic uint64_t n_stale;                         // closed as they answered no pings
    _Atomic uint64_t n_stalls;                        // producers stalled
};
