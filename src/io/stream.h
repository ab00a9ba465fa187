/* SPDX-License-Identifier: Apache-2.0 */
/* A connected socket on a worker's loop, seen as bytes in and out. How bytes travel is a small
 * vtable (plain here; TLS and WebSocket replace it), so that connections know none of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <uv.h>

#include "base/attr.h"
#include "base/status.h"

struct stream;
struct worker;

struct stream_ops {
    /* As readv(2) and writev(2) on a non-blocking socket; -errno on error, -EAGAIN when not now. */
    ssize_t (*read)(struct stream *s, const struct iovec *iov, int n);
    ssize_t (*write)(struct stream *s, const struct iovec *iov, int n);
};

/** What the owner wants to be told; all on the worker's thread. */
struct stream_events {
    void (*on_readable)(struct stream *s);
    void (*on_writable)(struct stream *s);
    void (*on_broken)(struct stream *s); // the socket has failed; reading on tells how
    void (*on_closed)(struct stream *s); // the last call: the memory may be freed
};

struct stream {
    const struct stream_ops *ops;
    const struct stream_events *events;
    uv_poll_t poll;
    int fd;
    bool wants_read, wants_write;
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
