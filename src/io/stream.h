/* SPDX-License-Identifier: Apache-2.0 */
/* A connected socket on a worker's loop, seen as bytes in and out. How bytes travel is a small
 * vtable (plain here; TLS and WebSocket replace it), so that connections know little of it. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <uv.h>

#include "base/attr.h"
#include "base/status.h"

struct stream;
struct tls_session;
struct worker;

struct stream_ops {
    /* As readv(2) and writev(2) on a non-blocking socket; -errno on error, -EAGAIN when not now.
     * What write was offered and did not take must be offered again, be it with more behind. */
    ssize_t (*read)(struct stream *s, const struct iovec *iov, int n);
    ssize_t (*write)(struct stream *s, const struct iovec *iov, int n);
    /* The events of the socket, UV_READABLE and UV_WRITABLE, that serve what the owner wants. */
    int (*wanted)(struct stream *s);
    /* Some of them have come: tell the owner what it wants to know. */
    void (*on_ready)(struct stream *s, int events);
    /* The socket has failed: as on_ready, with whatever can be had. */
    void (*on_broken)(struct stream *s);
    /* Take leave of the other side and release what is behind the stream, which is plain from then
     * on. */
    void (*end)(struct stream *s);
};

/** What the owner wants to be told; all on the worker's thread. */
struct stream_events {
    void (*on_readable)(struct stream *s);
    void (*on_writable)(struct stream *s);
    void (*on_broken)(struct stream *s); // the socket has failed; reading on tells how
    /* The handshake that was begun is over. May be NULL where none is begun (io/tls_stream.h).
     * @param st  ST_OK; ST_BAD_VALUE: those were no bytes of TLS; ST_FAILED
     * @param why_not  what went wrong, borrowed; NULL if nothing did */
    void (*on_secured)(struct stream *s, enum status st, const char *why_not);
    void (*on_closed)(struct stream *s); // the last call: the memory may be freed
};

struct stream {
    const struct stream_ops *ops;
    const struct stream_events *events;
    uv_poll_t poll;
    struct tls_session *tls; // NULL: not with TLS
    int fd;
    bool wants_read, wants_write; // the owner does
    uint8_t polled;               // events that the loop is asked for
};

/** Plain bytes on the socket. */
extern const struct stream_ops stream_plain_ops;

/**
 * Put a connected socket on a worker's loop and start reading.
 * On success the stream owns fd, until on_closed; on failure the caller still does.
 * Thread: the worker (as for all functions here).
 */
MUST_USE enum status stream_open(struct stream *s, struct worker *w, int fd,
                                 const struct stream_ops *ops, const struct stream_events *events);

/** Say which events are wanted from now on. */
void stream_want(struct stream *s, bool read, bool write);

/** Ask the loop for the events that serve what is wanted. For the ops, when that has changed. */
void stream_poll(struct stream *s);

/** @return  the worker that it is on. */
struct worker *stream_worker(const struct stream *s);

/** What stream_peek says at the end of input; no errno is as large. */
#define STREAM_PEEK_END INT_MIN

/**
 * Look at the first byte that has come, and leave it there. For plain streams.
 * @return  the byte, STREAM_PEEK_END, or -errno (-EAGAIN: nothing yet)
 */
int stream_peek(struct stream *s);

/**
 * Say that nothing more will be sent. @return [bytes] that the other side has not acknowledged yet
 */
size_t stream_end_output(struct stream *s);

/** Take and drop what has come. @return false: the other side has ended, too, or is gone */
bool stream_discard_input(struct stream *s);

/** @return  [bytes] sent that the other side has not acknowledged yet */
size_t stream_unacknowledged(const struct stream *s);

/**
 * Stop all events and close the socket; on_closed follows within the turn.
 * What the kernel still has to send is sent, unless something comes in meanwhile: that makes it
 * reset the connection and forget the rest. Who cares waits until nothing is unacknowledged.
 */
void stream_close(struct stream *s);

/** @return  bytes read into iov, 0 at the end of input, -errno on error (-EAGAIN: not now). */
static inline ssize_t stream_read(struct stream *s, const struct iovec *iov, int n)
{
    return s->ops->read(s, iov, n);
}

/** @return  bytes taken from iov, -errno on error (-EAGAIN: not now). */
static inline ssize_t stream_write(struct stream *s, const struct iovec *iov, int n)
{
    return s->ops->write(s, iov, n);
}
