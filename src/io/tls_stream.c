/* SPDX-License-Identifier: Apache-2.0 */
/* Streams by way of OpenSSL, which reads and writes the socket itself.
 *
 * Between the socket and the owner lies what OpenSSL has read ahead, of which the loop knows
 * nothing: while there may be some of it, a timer that is due at once calls the owner again.
 * A handshake costs a millisecond with large keys. So that many at once do not hold up everybody
 * else, a turn has a limited time for them; those that have to wait are ready in the next turn as
 * well, as the loop tells again what has not been read. */
#include "io/tls_stream.h"

#include <errno.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/mem.h"
#include "io/tls_context.h"
#include "io/tls_context_priv.h"
#include "io/tls_error_priv.h"
#include "io/tls_session_priv.h"
#include "io/worker.h"

#define RECORD_BYTES 16384u       // most that one record holds
#define DIRECT_BYTES 8192u        // what is that long is not worth gathering
#define TOIL_NS (4 * CLOCK_MS_NS) // for handshakes, in a turn

/* ---- telling the owner of what the socket does not */

static void call_again(struct tls_session *t)
{
    struct worker *w = stream_worker(t->stream);

    if (!timer_is_set(&t->again)) {
        worker_set_timer(w, &t->again, w->now_ns);
    }
}

static void on_again(struct timer *timer)
{
    struct tls_session *t = CONTAINER_OF(timer, struct tls_session, again);
    struct stream *s = t->stream;

    if (s->wants_read && t->has_more) {
        s->events->on_readable(s);
    }
}

/* ---- reading and writing */

/* What a failed SSL_read or SSL_write means; *by_other: the socket has to be ready for the other
 * direction. */
static ssize_t explain(struct tls_session *t, int r, int other, bool *by_other)
{
    int sys_error = errno;
    int kind = SSL_get_error(t->ssl, r);

    *by_other = false;
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
        *by_other = kind == other;
        return -EAGAIN;
    }
    if (kind == SSL_ERROR_ZERO_RETURN) {
        return 0;
    }
    t->has_failed = true;
    return kind == SSL_ERROR_SYSCALL && sys_error ? -sys_error : -EPROTO;
}

/* One piece of what has come: at most a record. */
static ssize_t read_piece(struct tls_session *t, char *to, size_t n)
{
    size_t got = 0;

    ERR_clear_error();
    int r = SSL_read_ex(t->ssl, to, n, &got);
    if (r == 1) {
        t->reads_by_writing = false;
        return (ssize_t)got;
    }
    return explain(t, r, SSL_ERROR_WANT_WRITE, &t->reads_by_writing);
}

/* As much as there is room for and can be had without asking the system more than needed. The end,
 * or an error, that is found behind some bytes shows again in the next call. */
static ssize_t tls_read(struct stream *s, const struct iovec *iov, int n)
{
    struct tls_session *t = s->tls;
    ssize_t total = 0;
    ssize_t r = -EAGAIN;

    if (!t->is_secured) {
        return -EAGAIN;
    }
    t->has_more = true;
    for (int i = 0; i < n && t->has_more; i++) {
        size_t at = 0;

        while (at < iov[i].iov_len && t->has_more) {
            r = read_piece(t, (char *)iov[i].iov_base + at, iov[i].iov_len - at);
            if (r <= 0) {
                t->has_more = r != -EAGAIN;
                goto out;
            }
            at += (size_t)r;
            total += r;
            t->has_more = SSL_has_pending(t->ssl) == 1;
        }
    }
out:
    if (t->has_more && total) {
        call_again(t);
    }
    stream_poll(s);
    return total ? total : r;
}

/** Where a write of several pieces stands. */
struct source {
    const struct iovec *iov;
    int n;
    size_t at; // [bytes] of the first that are written
};

static size_t head_bytes(const struct source *from)
{
    return from->iov->iov_len - from->at;
}

/* The next bytes to write, at most a record: where they lie, or gathered in `scratch`. */
static struct str next_record(const struct tls_session *t, const struct source *from, char *scratch)
{
    size_t n = head_bytes(from);

    if (from->n == 1 || (n >= DIRECT_BYTES && n >= t->n_offered)) {
        return (struct str){.p = (const char *)from->iov->iov_base + from->at,
                            .n = n < RECORD_BYTES ? n : RECORD_BYTES};
    }
    n = 0;
    for (int i = 0; i < from->n && n < RECORD_BYTES; i++) {
        size_t skip = i == 0 ? from->at : 0;
        size_t piece = from->iov[i].iov_len - skip;

        piece = piece < RECORD_BYTES - n ? piece : RECORD_BYTES - n;
        memcpy(scratch + n, (const char *)from->iov[i].iov_base + skip, piece);
        n += piece;
    }
    return (struct str){.p = scratch, .n = n};
}

static void advance(struct source *from, size_t n)
{
    while (from->n && n >= head_bytes(from)) {
        n -= head_bytes(from);
        from->iov++;
        from->n--;
        from->at = 0;
    }
    from->at += n;
}

static ssize_t write_record(struct tls_session *t, struct str record)
{
    size_t taken = 0;

    ERR_clear_error();
    int r = SSL_write_ex(t->ssl, record.p, record.n, &taken);
    if (r == 1) {
        t->writes_by_reading = false;
        t->n_offered = 0;
        return (ssize_t)taken;
    }
    t->n_offered = record.n;
    ssize_t e = explain(t, r, SSL_ERROR_WANT_READ, &t->writes_by_reading);
    return e == 0 ? -EPIPE : e;
}

static ssize_t tls_write(struct stream *s, const struct iovec *iov, int n)
{
    struct tls_session *t = s->tls;
    struct source from = {.iov = iov, .n = n};
    UNINITIALIZED char scratch[RECORD_BYTES];
    ssize_t total = 0;
    ssize_t r = 0;

    if (!t->is_secured) {
        return -EAGAIN;
    }
    while (from.n) {
        if (head_bytes(&from) == 0) {
            advance(&from, 0);
            continue;
        }
        r = write_record(t, next_record(t, &from, scratch));
        if (r < 0) {
            break;
        }
        total += r;
        advance(&from, (size_t)r);
    }
    stream_poll(s);
    return total ? total : r;
}

/* ---- the handshake */

static void fail(struct tls_session *t, enum status st, const char *why)
{
    struct stream *s = t->stream;

    t->has_failed = true;
    stream_poll(s);
    s->events->on_secured(s, st, why);
}

static void succeed(struct tls_session *t)
{
    struct stream *s = t->stream;

    if (!tls_peer_is_pinned(t->stream, t->context)) {
        SSL_shutdown(t->ssl);
        fail(t, ST_FAILED, "certificate not pinned");
        return;
    }
    t->is_secured = true;
    t->has_more = SSL_has_pending(t->ssl) == 1;
    if (t->has_more) {
        call_again(t);
    }
    stream_poll(s);
    s->events->on_secured(s, ST_OK, NULL);
}

/* Whether this turn has time for a handshake. */
static bool may_toil(struct worker *w)
{
    if (w->toil_turn_ns != w->now_ns) {
        w->toil_turn_ns = w->now_ns;
        w->toil_ns = 0;
    }
    return w->toil_ns < TOIL_NS;
}

/* One step of the handshake: up to where something has to come from the other side. */
static void shake_hands(struct tls_session *t)
{
    struct worker *w = stream_worker(t->stream);

    if (t->has_failed || !may_toil(w)) {
        return;
    }
    int64_t start_ns = clock_now_ns();
    ERR_clear_error();
    int r = SSL_do_handshake(t->ssl);
    int sys_error = errno;
    w->toil_ns += clock_now_ns() - start_ns;
    if (r == 1) {
        succeed(t);
        return;
    }
    int kind = SSL_get_error(t->ssl, r);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
        t->reads_by_writing = kind == SSL_ERROR_WANT_WRITE;
        stream_poll(t->stream);
        return;
    }
    enum tls_failure f = tls_error_explain(t->ssl, r, sys_error, &t->why_not);
    buf_add_char(&t->why_not, 0);
    fail(t, f == TLS_FAILURE_NOT_TLS ? ST_BAD_VALUE : ST_FAILED, t->why_not.p);
}

/* ---- the stream */

static int tls_wanted(struct stream *s)
{
    const struct tls_session *t = s->tls;
    int events = 0;

    if (t->has_failed && !t->is_secured) {
        return 0; // the owner is about to close it
    }
    if (!t->is_secured) {
        return t->reads_by_writing ? UV_WRITABLE : UV_READABLE;
    }
    if (s->wants_read) {
        events |= t->reads_by_writing ? UV_WRITABLE : UV_READABLE;
    }
    if (s->wants_write) {
        events |= t->writes_by_reading ? UV_READABLE : UV_WRITABLE;
    }
    if (s->wants_read && t->has_more) {
        call_again(s->tls);
    }
    return events;
}

static void tls_on_ready(struct stream *s, int events)
{
    struct tls_session *t = s->tls;

    if (!t->is_secured) {
        shake_hands(t);
        return;
    }
    bool is_readable = events & (t->reads_by_writing ? UV_WRITABLE : UV_READABLE);
    bool is_writable = events & (t->writes_by_reading ? UV_READABLE : UV_WRITABLE);
    if (is_readable && s->wants_read) {
        s->events->on_readable(s);
    }
    if (is_writable && s->wants_write) {
        s->events->on_writable(s);
    }
}

static void tls_on_broken(struct stream *s)
{
    if (!s->tls->is_secured) {
        shake_hands(s->tls); // learns why
    }
    s->events->on_broken(s);
}

/* Says goodbye where that can be understood: not before the handshake, not amid a record. */
static void tls_end(struct stream *s)
{
    struct tls_session *t = s->tls;

    if (t->is_secured && !t->has_failed && t->n_offered == 0) {
        ERR_clear_error();
        SSL_shutdown(t->ssl);
        ERR_clear_error();
    }
    worker_clear_timer(stream_worker(s), &t->again);
    SSL_free(t->ssl);
    tls_context_unref(t->context);
    buf_deinit(&t->why_not);
    mem_free(t);
    s->tls = NULL;
    s->ops = &stream_plain_ops;
}

const struct stream_ops stream_tls_ops = {
    .read = tls_read,
    .write = tls_write,
    .wanted = tls_wanted,
    .on_ready = tls_on_ready,
    .on_broken = tls_on_broken,
    .end = tls_end,
};

void stream_start_tls(struct stream *s, struct tls_context *context)
{
    struct tls_session *t = mem_zalloc(sizeof(*t));

    DCHECK(s->ops == &stream_plain_ops);
    t->stream = s;
    t->context = tls_context_ref(context);
    t->again.fire = on_again;
    t->ssl = SSL_new(context->ssl);
    ENSURE(t->ssl && SSL_set_fd(t->ssl, s->fd) == 1); // they fail only for want of memory
    SSL_set_app_data(t->ssl, &t->why_not);
    SSL_set_accept_state(t->ssl);
    s->tls = t;
    s->ops = &stream_tls_ops;
    stream_poll(s);
}
