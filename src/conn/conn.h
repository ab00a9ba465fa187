/* SPDX-License-Identifier: Apache-2.0 */
/* A connection: a stream with an unfinished operation in front and an output queue behind, owned by
 * one worker for its whole life. What its bytes mean is the business of its conn_ops. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"
#include "conn/close_reason.h"
#include "conn/outq.h"
#include "conn/shard.h"
#include "io/addr.h"
#include "io/stream.h"
#include "io/timer.h"

struct arena;
struct conn;
struct conn_report;
struct tally;
struct tls_context;

/** Longest label of a connection in the log, with its NUL. */
#define CONN_LABEL_MAX 512

/** Whoever speaks on a socket. All calls are on the worker's thread. */
struct conn_ops {
    const char *kind; // "Client", "Router", …: for the log
    /* Bytes have come; returns how many were consumed. The rest is presented again with more
     * behind. c->need may be set to the size of the unfinished operation: the next call waits for
     * it. */
    size_t (*on_bytes)(struct conn *c, struct str in);
    /* It is marked closed: let go of everything others could find it by. Once. */
    void (*on_close)(struct conn *c, enum close_reason reason);
    /* The socket is gone and nothing refers to it: free it. */
    void (*on_free)(struct conn *c);
    /* A fence is passed (conn/fence.h). */
    void (*on_fenced)(struct conn *c);
    /* The protocol is being traced, and `out` was encoded elsewhere: log it. */
    void (*trace_output)(struct conn *c, struct outq *out);
    /* Bytes have come, or the end, to one that awaits them (conn_await). NULL: never used. */
    void (*on_arrival)(struct conn *c);
    /* The handshake of conn_secure is over, as stream_events.on_secured says. NULL: never used. */
    void (*on_secured)(struct conn *c, enum status st, const char *why_not);
    /* Queued output has been sent, all or some. NULL: it does not matter. */
    void (*on_sent)(struct conn *c);
    /* Write what precedes its log lines. */
    void (*label)(const struct conn *c, char out[CONN_LABEL_MAX]);
    /* Fill a report that has its handle and its kind. Strings may be borrowed from the connection
     * or come from `scratch`. NULL: nobody is told of it. */
    void (*report)(struct conn *c, unsigned what, struct conn_report *out, struct arena *scratch);
    /* Tell it that the server is about to leave (lame duck mode). Returns whether it understands
     * that, and already. NULL: nobody of this kind does. */
    bool (*announce_lame_duck)(struct conn *c);
};

struct conn_limits {
    int64_t max_pending_bytes; // output queued beyond this makes a slow consumer
    size_t high_pending_bytes; // three quarters of it: producers are slowed down
    bool drops_when_high;      // instead, what would fill it further is dropped
    bool retries_writes;       // a write that misses its deadline may go on if it makes progress
    int64_t write_deadline_ns; // [ns] that queued output may take to be accepted by the kernel
};

struct conn {
    /* What a delivery touches is one cache line. */
    _Alignas(CACHE_LINE_BYTES) struct outq out;
    uint8_t reason;        // enum close_reason; CLOSE_NONE: open
    uint8_t pressure;      // enum pressure, as published in its slot
    bool is_dirty;         // in shard->dirty
    bool is_blocked;       // the socket takes no more output now
    bool is_paused;        // conn_pause: a producer that is too fast
    bool is_held;          // in shard->held
    bool skips_flush : 1;  // queued output is dropped at close
    bool is_finishing : 1; // on_close has been called
    bool is_stream_closed : 1;
    bool is_listed_closing : 1; // in shard->closing
    bool is_lingering : 1;      // all is sent, but not acknowledged
    bool was_slow : 1;          // counted as a slow consumer
    bool is_awaiting : 1;       // what comes is announced, not read
    uint8_t n_fence_calls;      // not returned yet (conn/fence.h)

    struct shard *shard;
    const struct conn_limits *limits;
    const struct conn_ops *ops;
    struct conn *next_dirty, *next_closing, *next_held;
    uint64_t handle;
    uint64_t in_msgs, in_bytes, out_msgs, out_bytes;
    int64_t last_out_ns;     // when messages were last written to it; 0: never
    struct tally *tally;     // of its account, on this worker; NULL: its messages are not counted
    uint64_t n_sent;         // [bytes] accepted by the kernel
    uint64_t deadline_start; // n_sent when the write that has the deadline began
    int64_t linger_until_ns;
    uint64_t deadline_mark; // n_sent at which the write that has the deadline is done
    char *partial;          // the unfinished operation
    uint32_t partial_n;     // [bytes] of it
    uint32_t partial_cap;
    uint32_t need;      // [bytes] it will have; 0: not known
    uint32_t read_most; // [bytes] that a read may take, set by the owner; 0: whatever is there
    struct addr addr;
    struct timer deadline; // of a blocked write
    struct timer resume;   // end of a pause
    struct stream stream;
};

/**
 * Take over a connected socket: give it a handle and start reading.
 * @param c   embedded in the caller's struct, zeroed
 * @param fd  owned by the connection on success
 * Thread: the worker (as for all functions here).
 */
MUST_USE enum status conn_open(struct conn *c, struct shard *sh, int fd, const struct addr *addr,
                               const struct conn_ops *ops, const struct conn_limits *limits);

/**
 * Mark it closed: nothing more is read; at the end of the turn queued output is sent (unless the
 * reason says that is pointless), then the socket is closed. The first reason given is kept.
 */
void conn_close(struct conn *c, enum close_reason reason);

/** @return  whether it is marked closed. */
static inline bool conn_is_closing(const struct conn *c)
{
    return c->reason != CLOSE_NONE;
}

/** From now on what comes is not read: its on_arrival is called, until conn_end_await. */
void conn_await(struct conn *c);

/** What comes is read again. */
void conn_end_await(struct conn *c);

/**
 * Begin a TLS handshake, with what has not been read yet. What is queued is sent first, in the
 * clear. Its on_secured tells how it went; a deadline is the business of the caller.
 * @param tls  borrowed; the connection keeps a reference
 */
void conn_secure(struct conn *c, struct tls_context *tls);

/** Queue bytes for it; they leave at the end of the turn. Nothing happens if it is closing. */
void conn_write(struct conn *c, struct str s);

/** Its output queue has grown: see that it is sent, and that it does not grow without bound. */
static inline void conn_output_grew(struct conn *c);

/** Stop reading it for so long, bytes already received included: it produces too fast. */
void conn_pause(struct conn *c, int64_t duration_ns);

/** As conn_pause, until conn_resume is called. */
void conn_suspend(struct conn *c);

/** End conn_suspend: go on with what was received before, then with the socket. */
void conn_resume(struct conn *c);

/** As conn_resume, but at the end of the turn: for callers in the inbox, which may be run while
 * another connection is read. */
void conn_resume_soon(struct conn *c);

/** Read it again after shard_hold. */
void conn_release(struct conn *c);

/** @return  whether n more bytes, encoded elsewhere, may be queued for it; else they are
 * dropped. */
bool conn_takes(const struct conn *c, size_t n);

/** Send queued output. For shard.c. */
void conn_flush(struct conn *c);

/** Carry out what conn_close has announced. For shard.c. */
void conn_finish(struct conn *c);

/** As conn_output_grew, when much is queued. */
void conn_check_pending(struct conn *c);

static inline void conn_output_grew(struct conn *c)
{
    if (!c->is_dirty) {
        shard_add_dirty(c->shard, c);
    }
    if (UNLIKELY(c->out.n_bytes > c->limits->high_pending_bytes)) {
        conn_check_pending(c);
    }
}
