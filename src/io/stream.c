/* SPDX-License-Identifier: Apache-2.0 */
/* Streams on uv_poll: the loop says when, we read and write ourselves, straight from and into the
 * worker's buffers. */
#include "io/stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "io/worker.h"

static ssize_t plain_read(struct stream *s, const struct iovec *iov, int n)
{
    ssize_t r;

    do {
        r = n == 1 ? recv(s->fd, iov->iov_base, iov->iov_len, 0) : readv(s->fd, iov, n);
    } while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r;
}

static ssize_t plain_write(struct stream *s, const struct iovec *iov, int n)
{
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n};
    ssize_t r;

    do {
        r = n == 1 ? send(s->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL)
                   : sendmsg(s->fd, &m, MSG_NOSIGNAL);
    } while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r;
}

static int plain_wanted(struct stream *s)
{
    return (s->wants_read ? UV_READABLE : 0) | (s->wants_write ? UV_WRITABLE : 0);
}

static void plain_on_ready(struct stream *s, int events)
{
    if (events & (UV_READABLE | UV_DISCONNECT)) {
        s->events->on_readable(s);
    }
    if ((events & UV_WRITABLE) && s->wants_write) {
        s->events->on_writable(s);
    }
}

static void plain_on_broken(struct stream *s)
{
    s->events->on_broken(s);
}

static void plain_end(struct stream *s)
{
    (void)s;
}

const struct stream_ops stream_plain_ops = {
    .read = plain_read,
    .write = plain_write,
    .wanted = plain_wanted,
    .on_ready = plain_on_ready,
    .on_broken = plain_on_broken,
    .end = plain_end,
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct stream *s = poll->data;

    worker_note_event(stream_worker(s));
    if (UNLIKELY(status < 0)) {
        s->polled = 0;
        s->ops->on_broken(s);
    } else {
        s->ops->on_ready(s, events);
    }
}

enum status stream_open(struct stream *s, struct worker *w, int fd, const struct stream_ops *ops,
                        const struct stream_events *events)
{
    int e = uv_poll_init(&w->loop, &s->poll, fd);

    if (e) {
        return (enum status)e;
    }
    s->poll.data = s;
    s->ops = ops;
    s->events = events;
    s->tls = NULL;
    s->fd = fd;
    s->wants_read = false;
    s->wants_write = false;
    s->polled = 0;
    stream_want(s, true, false);
    return ST_OK;
}

void stream_poll(struct stream *s)
{
    int events = s->ops->wanted(s);

    if (events != s->polled) {
        s->polled = (uint8_t)events;
        uv_poll_start(&s->poll, events, on_poll);
    }
}

void stream_want(struct stream *s, bool read, bool write)
{
    if (read == s->wants_read && write == s->wants_write) {
        return;
    }
    s->wants_read = read;
    s->wants_write = write;
    stream_poll(s);
}

struct worker *stream_worker(const struct stream *s)
{
    return s->poll.loop->data;
}

int stream_peek(struct stream *s)
{
    unsigned char first;
    ssize_t r;

    do {
        r = recv(s->fd, &first, 1, MSG_PEEK);
    } while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r == 0 ? STREAM_PEEK_END : first;
}

bool stream_discard_input(struct stream *s)
{
    UNINITIALIZED char scratch[16384];

    for (int i = 0; i < 16; i++) {
        ssize_t r = recv(s->fd, scratch, sizeof(scratch), MSG_DONTWAIT);

        if (r <= 0) {
            return r < 0 && (errno == EAGAIN || errno == EINTR);
        }
    }
    return true;
}

size_t stream_unacknowledged(const struct stream *s)
{
    int n = 0;

    return ioctl(s->fd, SIOCOUTQ, &n) == 0 && n > 0 ? (size_t)n : 0;
}

size_t stream_end_output(struct stream *s)
{
    s->ops->end(s);
    shutdown(s->fd, SHUT_WR);
    stream_discard_input(s);
    return stream_unacknowledged(s);
}

static void on_poll_closed(uv_handle_t *h)
{
    struct stream *s = h->data;

    s->events->on_closed(s);
}

void stream_close(struct stream *s)
{
    s->ops->end(s);
    uv_close((uv_handle_t *)&s->poll, on_poll_closed); // leaves the loop before the number is free
    close(s->fd);
    s->fd = -1;
}
