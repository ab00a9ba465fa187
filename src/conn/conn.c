/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, writing and closing of connections.
 *
 * An idle connection holds no buffers. It reads into the buffer of its shard; what is left of an
 * unfinished operation is copied to a block of its own size. A short one goes back to the front of
 * the shard's buffer before the next read; a long one whose size is known is read into its block
 * directly. */
#include "conn/conn.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "conn/tally.h"
#include "io/tls_stream.h"
#include "io/worker.h"

#define LONG_OP_BYTES (SHARD_READ_BYTES / 8)
#define LINGER_STEP_NS (10 * CLOCK_MS_NS)

static struct conn *conn_of(struct stream *s)
{
    return CONTAINER_OF(s, struct conn, stream);
}

static void want_events(struct conn *c)
{
    bool read = !conn_is_closing(c) && !c->is_paused && !c->is_held;

    if (!c->is_stream_closed) {
        stream_want(&c->stream, read, c->is_blocked);
    }
}

/* Keeps the unfinished rest of `in`, which may lie in the present block. */
static void keep_partial(struct conn *c, struct str in)
{
    char *old = c->partial;

    if (in.n == 0 || conn_is_closing(c)) {
        mem_free(old);
        c->partial = NULL;
        c->partial_n = c->partial_cap = 0;
        return;
    }
    size_t cap = c->need > LONG_OP_BYTES ? c->need : in.n;
    if (cap < in.n) {
        cap = in.n;
    }
    if (old && in.p == old && cap <= c->partial_cap) {
        c->partial_n = (uint32_t)in.n;
        return;
    }
    c->partial = mem_alloc(cap);
    memcpy(c->partial, in.p, in.n);
    c->partial_n = (uint32_t)in.n;
    c->partial_cap = (uint32_t)cap;
    mem_free(old);
}

/* Lets the owner consume `in`, keeps the rest. What other workers posted before these bytes were
 * sent comes first: a client that knows of a delivery must find it before the answer to its next
 * PING. */
static void consume(struct conn *c, struct str in)
{
    worker_run_inbox(c->shard->worker);
    uint64_t msgs = c->in_msgs;
    uint64_t bytes = c->in_bytes;
    c->need = 0;
    size_t n = c->ops->on_bytes(c, in);
    if (c->in_msgs != msgs) {
        tally_add_in(c->tally, c->in_msgs - msgs, c->in_bytes - bytes);
    }
    keep_partial(c, (struct str){.p = in.p + n, .n = in.n - n});
}

static void on_read_failed(struct conn *c, ssize_t r)
{
    if (r == 0) {
        conn_close(c, CLOSE_CLIENT_CLOSED);
    } else if (r != -EAGAIN) {
        conn_close(c, CLOSE_READ_ERROR);
    }
}

/* The size of a long operation is known: fill its block first, take what follows into the
 * buffer. */
static bool read_long(struct conn *c)
{
    struct shard *sh = c->shard;
    size_t missing = c->need - c->partial_n;
    struct iovec iov[2] = {
        {.iov_base = c->partial + c->partial_n, .iov_len = missing},
        {.iov_base = sh->read_buf, .iov_len = SHARD_READ_BYTES},
    };
    ssize_t r = stream_read(&c->stream, iov, 2);

    if (r <= 0) {
        on_read_failed(c, r);
        return false;
    }
    if ((size_t)r < missing) {
        c->partial_n += (uint32_t)r;
        return true;
    }
    c->partial_n = c->need;
    consume(c, (struct str){.p = c->partial, .n = c->partial_n});
    struct str rest = {.p = sh->read_buf, .n = (size_t)r - missing};
    if (rest.n == 0 || conn_is_closing(c)) {
        return true;
    }
    if (c->partial) { // it was paused before the end: the rest queues up behind
        c->partial = mem_realloc(c->partial, c->partial_n + rest.n);
        memcpy(c->partial + c->partial_n, rest.p, rest.n);
        c->partial_n = c->partial_cap = c->partial_n + (uint32_t)rest.n;
        return true;
    }
    consume(c, rest);
    return true;
}

/* Reads once, if it may be read now. Returns whether there was anything to read. */
static bool read_once(struct conn *c)
{
    struct shard *sh = c->shard;

    if (conn_is_closing(c) || c->is_paused || (sh->n_congested && shard_hold(sh, c))) {
        return false;
    }
    if (UNLIKELY(c->is_awaiting)) {
        c->ops->on_arrival(c);
        return false;
    }
    shard_note_busy(sh);
    if (c->partial && c->need > LONG_OP_BYTES && c->partial_cap >= c->need) {
        return read_long(c);
    }
    char *buf = sh->read_buf;
    size_t kept = c->partial_n;
    size_t room = SHARD_READ_BYTES - kept;
    if (kept >= SHARD_READ_BYTES / 2) { // a huge control line: rare; max_control_line bounds it
        c->partial_cap = (uint32_t)(kept + SHARD_READ_BYTES);
        c->partial = mem_realloc(c->partial, c->partial_cap);
        buf = c->partial;
        room = SHARD_READ_BYTES;
    } else if (c->partial) {
        memcpy(buf, c->partial, kept);
    }
    if (UNLIKELY(c->read_most) && c->read_most < room) {
        room = c->read_most;
    }
    ssize_t r =
        stream_read(&c->stream, &(struct iovec){.iov_base = buf + kept, .iov_len = room}, 1);
    if (r <= 0) {
        on_read_failed(c, r);
        return false;
    }
    consume(c, (struct str){.p = buf, .n = kept + (size_t)r});
    return true;
}

static void linger_on(struct conn *c);

static void on_readable(struct stream *s)
{
    struct conn *c = conn_of(s);

    if (UNLIKELY(c->is_lingering)) {
        linger_on(c);
    } else {
        read_once(c);
    }
}

/* At the end of the turn: what goes elsewhere must go first, as an answer to a PING says that it
 * has. */
static void on_writable(struct stream *s)
{
    struct conn *c = conn_of(s);

    c->is_blocked = false;
    if (!c->is_dirty) {
        shard_add_dirty(c->shard, c);
    }
}

/* After an error the loop watches the socket no more: read on to what is there, then to the
 * error. */
static void on_broken(struct stream *s)
{
    struct conn *c = conn_of(s);

    while (read_once(c)) {
    }
    conn_close(c, CLOSE_READ_ERROR); // an earlier reason stands, but the output is given up
}

static void on_secured(struct stream *s, enum status st, const char *why_not)
{
    struct conn *c = conn_of(s);

    if (!conn_is_closing(c)) {
        c->ops->on_secured(c, st, why_not);
    }
}

static void on_closed(struct stream *s)
{
    struct conn *c = conn_of(s);
    struct shard *sh = c->shard;

    c->ops->on_free(c);
    shard_conn_gone(sh);
}

static const struct stream_events stream_events = {
    .on_readable = on_readable,
    .on_writable = on_writable,
    .on_broken = on_broken,
    .on_secured = on_secured,
    .on_closed = on_closed,
};

static void on_deadline(struct timer *t);
static void on_resume(struct timer *t);

enum status conn_open(struct conn *c, struct shard *sh, int fd, const struct addr *addr,
                      const struct conn_ops *ops, const struct conn_limits *limits)
{
    c->shard = sh;
    c->ops = ops;
    c->limits = limits;
    c->addr = *addr;
    c->deadline.fire = on_deadline;
    c->resume.fire = on_resume;
    c->handle = handle_add(&sh->table, c);
    if (c->handle == HANDLE_NONE) {
        return (enum status)(-EMFILE);
    }
    enum status st = stream_open(&c->stream, sh->worker, fd, &stream_plain_ops, &stream_events);
    if (st != ST_OK) {
        handle_remove(&sh->table, c->handle);
        return st;
    }
    sh->n_conns++;
    return ST_OK;
}

void conn_close(struct conn *c, enum close_reason reason)
{
    if (!close_reason_flushes(reason)) {
        c->skips_flush = true;
    }
    if (conn_is_closing(c)) {
        if (c->is_finishing && c->skips_flush) {
            shard_add_closing(c->shard, c);
        }
        return;
    }
    c->reason = (uint8_t)reason;
    want_events(c);
    shard_add_closing(c->shard, c);
}

static void close_stream(struct conn *c)
{
    struct worker *w = c->shard->worker;

    c->is_stream_closed = true;
    outq_clear(&c->out, &c->shard->pool);
    worker_clear_timer(w, &c->deadline);
    worker_clear_timer(w, &c->resume);
    handle_remove(&c->shard->table, c->handle);
    stream_close(&c->stream);
}

/* All output is with the kernel. It would forget what the other side has not taken yet if anything
 * came in after the close, be it a PONG: so take that, until all is acknowledged. */
static void linger(struct conn *c)
{
    struct worker *w = c->shard->worker;

    if (c->reason == CLOSE_CLIENT_CLOSED || stream_end_output(&c->stream) == 0) {
        close_stream(c);
        return;
    }
    c->is_lingering = true;
    c->linger_until_ns = w->now_ns + c->limits->write_deadline_ns;
    stream_want(&c->stream, true, false);
    worker_set_timer(w, &c->deadline, w->now_ns + LINGER_STEP_NS);
}

static void linger_on(struct conn *c)
{
    struct worker *w = c->shard->worker;

    if (!stream_discard_input(&c->stream) || stream_unacknowledged(&c->stream) == 0 ||
        w->now_ns >= c->linger_until_ns) {
        close_stream(c);
    } else {
        worker_set_timer(w, &c->deadline, w->now_ns + LINGER_STEP_NS);
    }
}

void conn_finish(struct conn *c)
{
    if (c->is_stream_closed) {
        return;
    }
    if (!c->is_finishing) {
        c->is_finishing = true;
        shard_unhold(c->shard, c);
        mem_free(c->partial);
        c->partial = NULL;
        c->ops->on_close(c, (enum close_reason)c->reason);
    }
    if (!c->skips_flush) {
        conn_flush(c);
    }
    if (!c->is_stream_closed && c->skips_flush) {
        close_stream(c);
    } else if (!c->is_stream_closed && !c->is_lingering && c->out.n_bytes == 0) {
        linger(c);
    }
}

void conn_write(struct conn *c, struct str s)
{
    if (!conn_is_closing(c)) {
        outq_write(&c->out, &c->shard->pool, s);
        conn_output_grew(c);
    }
}

static struct handle_slot *slot_of(const struct conn *c)
{
    return handle_slot(&c->shard->table, c->handle);
}

bool conn_takes(const struct conn *c, size_t n)
{
    const struct conn_limits *l = c->limits;

    return !conn_is_closing(c) &&
           !(l->drops_when_high && (c->out.n_bytes > l->high_pending_bytes ||
                                    (int64_t)(c->out.n_bytes + n) > l->max_pending_bytes));
}

static void publish_pressure(struct conn *c)
{
    int64_t n = (int64_t)c->out.n_bytes;
    int64_t max = c->limits->max_pending_bytes;
    uint8_t pressure = n >= max ? PRESSURE_FULL : n > max / 4 * 3 ? PRESSURE_HIGH : PRESSURE_NONE;

    if (pressure != c->pressure) {
        c->pressure = pressure;
        atomic_store_explicit(&slot_of(c)->pressure, pressure, memory_order_relaxed);
    }
}

void conn_check_pending(struct conn *c)
{
    if (conn_is_closing(c)) {
        return;
    }
    if (!c->is_blocked) { // not slow, only not asked yet
        shard_hand_over(c->shard);
        conn_flush(c);
    }
    publish_pressure(c);
    if ((int64_t)c->out.n_bytes > c->limits->max_pending_bytes && !conn_is_closing(c)) {
        char label[CONN_LABEL_MAX];

        c->ops->label(c, label);
        c->was_slow = true;
        log_info("%sSlow Consumer Detected: MaxPending of %lld Exceeded", label,
                 (long long)c->limits->max_pending_bytes);
        conn_close(c, CLOSE_SLOW_CONSUMER_PENDING_BYTES);
    }
}

/* The write that is under way got a deadline when it began: what was queued then must be gone by
 * it. */
static void watch_deadline(struct conn *c)
{
    struct worker *w = c->shard->worker;

    if (!timer_is_set(&c->deadline) || c->n_sent >= c->deadline_mark) {
        c->deadline_start = c->n_sent;
        c->deadline_mark = c->n_sent + c->out.n_bytes;
        worker_set_timer(w, &c->deadline, clock_now_ns() + c->limits->write_deadline_ns);
    }
}

static void on_deadline(struct timer *t)
{
    struct conn *c = CONTAINER_OF(t, struct conn, deadline);
    UNINITIALIZED char label[CONN_LABEL_MAX];
    char duration[CLOCK_DURATION_MAX];
    unsigned n_chunks = 0;

    if (c->is_lingering) {
        linger_on(c);
        return;
    }
    for (struct chunk *k = c->out.head; k; k = k->next) {
        n_chunks++;
    }
    c->ops->label(c, label);
    clock_format_duration(c->limits->write_deadline_ns, duration);
    c->was_slow = true;
    log_info("%sSlow Consumer Detected: WriteDeadline of %s exceeded with %u chunks of %zu total "
             "bytes.",
             label, duration, n_chunks, c->out.n_bytes);
    if (c->limits->retries_writes && c->n_sent > c->deadline_start && !conn_is_closing(c)) {
        watch_deadline(c);
    } else {
        conn_close(c, CLOSE_SLOW_CONSUMER_WRITE_DEADLINE);
    }
}

/* A write that had missed its deadline got through after all. */
static void note_recovery(struct conn *c)
{
    char label[CONN_LABEL_MAX];

    c->was_slow = false;
    c->ops->label(c, label);
    log_info("%sSlow Consumer Recovered: all %llu bytes were taken", label,
             (unsigned long long)(c->n_sent - c->deadline_start));
}

static void count_output(struct conn *c)
{
    if (c->out.n_msgs) {
        histogram_add(&c->shard->write_msgs, c->out.n_msgs);
        c->last_out_ns = c->shard->worker->now_ns;
        c->out_msgs += c->out.n_msgs;
        c->out_bytes += c->out.n_msg_bytes;
        tally_add_out(c->tally, c->out.n_msgs, c->out.n_msg_bytes);
        c->out.n_msgs = 0;
        c->out.n_msg_bytes = 0;
    }
}

void conn_flush(struct conn *c)
{
    if (c->is_stream_closed || c->is_lingering || (conn_is_closing(c) && c->skips_flush)) {
        return;
    }
    count_output(c); // first: who has a message may ask how many there were
    size_t before = c->out.n_bytes;
    int e = outq_send(&c->out, &c->shard->pool, &c->stream);
    size_t n_taken = before - c->out.n_bytes;

    c->n_sent += n_taken;
    if (n_taken) {
        histogram_add(&c->shard->write_bytes, n_taken);
    }
    if (e == -EAGAIN) {
        c->is_blocked = true;
        watch_deadline(c);
    } else {
        c->is_blocked = false;
        if (UNLIKELY(c->was_slow) && e == 0 && !conn_is_closing(c)) {
            note_recovery(c);
        }
        worker_clear_timer(c->shard->worker, &c->deadline);
        if (e != 0) {
            conn_close(c, CLOSE_WRITE_ERROR);
        }
    }
    if (c->pressure) {
        publish_pressure(c);
    }
    if (UNLIKELY(c->ops->on_sent != NULL) && !conn_is_closing(c)) {
        c->ops->on_sent(c);
    }
    want_events(c);
    if (c->is_finishing && c->out.n_bytes == 0 && !c->skips_flush) {
        linger(c);
    }
}

/* Goes on with what was received before the pause, then with the socket. */
static void read_on(struct conn *c)
{
    want_events(c);
    if (c->partial && !conn_is_closing(c)) {
        consume(c, (struct str){.p = c->partial, .n = c->partial_n});
    }
}

void conn_resume(struct conn *c)
{
    c->is_paused = false;
    if (!c->is_held) {
        read_on(c);
    }
}

static void on_resume(struct timer *t)
{
    conn_resume(CONTAINER_OF(t, struct conn, resume));
}

void conn_suspend(struct conn *c)
{
    c->is_paused = true;
    want_events(c);
}

void conn_pause(struct conn *c, int64_t duration_ns)
{
    if (!c->is_paused && !conn_is_closing(c)) {
        c->is_paused = true;
        want_events(c);
        worker_set_timer(c->shard->worker, &c->resume, clock_now_ns() + duration_ns);
    }
}

void conn_resume_soon(struct conn *c)
{
    c->is_paused = true;
    worker_set_timer(c->shard->worker, &c->resume, c->shard->worker->now_ns);
}

void conn_release(struct conn *c)
{
    c->is_held = false;
    if (!c->is_paused && !conn_is_closing(c)) {
        conn_resume_soon(c);
    }
}

void conn_await(struct conn *c)
{
    c->is_awaiting = true;
}

void conn_end_await(struct conn *c)
{
    c->is_awaiting = false;
}

void conn_secure(struct conn *c, struct tls_context *tls)
{
    c->is_awaiting = false;
    conn_flush(c);
    if (c->out.n_bytes) { // the first bytes on a new socket always fit
        conn_close(c, CLOSE_TLS_HANDSHAKE_ERROR);
    }
    if (!conn_is_closing(c)) {
        stream_start_tls(&c->stream, tls);
    }
}
