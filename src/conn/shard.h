/* SPDX-License-Identifier: Apache-2.0 */
/* A shard: the connections of one worker and all that they share: the table that names them, the
 * buffer they read into, the chunks they write from, and what is to be done for them at the end of
 * a turn. Shards exchange output in parcels: queues of encoded bytes, each for one connection
 * elsewhere. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "conn/chunk.h"
#include "conn/close_reason.h"
#include "conn/handle.h"
#include "conn/histogram.h"
#include "conn/outq.h"
#include "io/worker.h"

struct conn;

/** [bytes] that one read takes at most; of a size that stays in the second-level cache. */
#define SHARD_READ_BYTES (64u << 10)

/** Of so many turns one is timed. */
#define SHARD_TIMED_TURNS 16u

/** Output encoded here for one connection of another shard. */
struct stage {
    uint64_t handle;
    struct outq out;
};

/** All that is staged for one other shard. */
struct stage_list {
    struct stage *at;
    uint32_t n, cap;
    uint32_t *by_slot; // slot number → place in `at` + 1, if that place has the handle
    uint32_t n_by_slot;
};

struct shard {
    struct worker *worker;
    struct shard **all; // all shards by worker number; to the connections of [0], the control
                        // thread's, no message goes: they are not among those that exchange output
    unsigned n_all;
    unsigned index; // worker number
    struct handle_table table;
    struct chunk_pool pool;
    char *read_buf;                  // SHARD_READ_BYTES; in use only while a connection reads
    struct conn *dirty;              // have output to send at the end of the turn
    struct conn *closing;            // marked closed in this turn
    struct conn *held;               // not read until the shards they write to catch up
    struct stage_list *stages;       // by worker number
    uint32_t n_outputs;              // connections that they are for
    size_t turn_bytes;               // [bytes] encoded since the last flush
    uint64_t n_conns;                // open, or closing with output left
    unsigned n_congested;            // shards that we wait for
    bool *is_congested;              // by worker number
    void (*before_flush)(void *arg); // see shard_before_flush
    void *flush_arg;
    bool is_draining; // close everything and say so when done
    void (*on_drained)(struct shard *sh, void *arg);
    void *drained_arg;
    struct timer trim;            // gives unused chunks back
    struct histogram write_bytes; // of a connection's output, that went out at once
    struct histogram write_msgs;  // messages that were ready then
    struct histogram turn_us;     // [µs] from the first bytes that a turn reads to its end; of one
                                  // in SHARD_TIMED_TURNS, as clocks may be slow
    int64_t busy_since_ns;        // when this turn read its first bytes; 0: it has not, or is not
                                  // timed
    unsigned n_untimed;           // turns to come until one is timed
    _Alignas(CACHE_LINE_BYTES) _Atomic size_t n_inbox_bytes; // posted to us and not yet taken
    _Atomic bool *is_waiting; // by worker number: shards to be told when we have caught up
    _Atomic uint32_t n_load;  // connections, for whoever hands out new ones
};

/**
 * Create the shards of all workers, wired to each other.
 * @param workers  workers[0 .. n_workers]; [0] is the control thread
 * @param shards   out: n_workers + 1 pointers
 * Thread: control, before the workers run.
 */
void shards_new(struct worker **workers, unsigned n_workers, struct chunk_depot *depot,
                struct shard **shards);

/** Free all shards; no connection is left. Thread: control, after the workers ended. */
void shards_free(struct shard **shards, unsigned n_workers);

/** @return  the queue that collects output for a connection of another shard. Thread: the worker.
 */
struct outq *shard_stage(struct shard *sh, uint64_t handle);

/** Hand over what was encoded for other shards so far. Thread: the worker. */
void shard_hand_over(struct shard *sh);

/**
 * Send and hand over what was encoded so far, in the middle of a turn, so that a burst which fans
 * out widely neither outgrows the cache nor makes its first receivers wait for its end.
 * Thread: the worker.
 */
void shard_flush(struct shard *sh);

/**
 * @return  whether shard_flush is due: enough for each receiver that writing is worth its system
 *          call, or as much as the caches bear
 * Thread: the worker.
 */
static inline bool shard_is_flush_due(const struct shard *sh)
{
    const size_t least = 256u << 10;
    const size_t most = 4u << 20;
    size_t due = (size_t)sh->n_outputs * (32u << 10);

    if (due < least) {
        due = least;
    } else if (due > most) {
        due = most;
    }
    return sh->turn_bytes > due;
}

/** Have fn(arg) called before output leaves the shard. Thread: before the worker runs. */
void shard_before_flush(struct shard *sh, void (*fn)(void *arg), void *arg);

/** Something is done in this turn from now on: its time counts. Thread: the worker. */
static inline void shard_note_busy(struct shard *sh)
{
    if (UNLIKELY(sh->n_untimed == 0) && sh->busy_since_ns == 0) {
        sh->busy_since_ns = clock_now_ns();
    }
}

/** @return  whether connections were closed in this turn, whose on_close is yet to be called.
 * Thread: the worker. */
static inline bool shard_is_closing_some(const struct shard *sh)
{
    return sh->closing != NULL;
}

/** Call fn for every connection that is not closing. Thread: the worker. */
void shard_for_each(struct shard *sh, void (*fn)(struct conn *c, void *arg), void *arg);

/**
 * Close all connections and refuse new ones; when the last has flushed and gone, call fn, once.
 * Thread: the worker.
 */
void shard_drain(struct shard *sh, enum close_reason reason, void (*fn)(struct shard *, void *),
                 void *arg);

/** Count n bytes that were given back to the heap. Thread: the worker. */
static inline void shard_note_released(struct shard *sh, size_t n)
{
    chunk_note_released(&sh->pool, n);
}

/** @return  [bytes] given back to the heap so far. Thread: any. */
static inline uint64_t shard_released(const struct shard *sh)
{
    return atomic_load_explicit(&sh->pool.n_released, memory_order_relaxed);
}

/* For conn.c */

/** Note that c has output. Thread: the worker (as for the following). */
void shard_add_dirty(struct shard *sh, struct conn *c);

/** Note that c is marked closed. */
void shard_add_closing(struct shard *sh, struct conn *c);

/** A connection is gone for good. */
void shard_conn_gone(struct shard *sh);

/** @return  whether c must not be read now, as another shard is behind; it is resumed by itself. */
bool shard_hold(struct shard *sh, struct conn *c);

/** Forget that c is held, if it is. */
void shard_unhold(struct shard *sh, struct conn *c);
