/* SPDX-License-Identifier: Apache-2.0 */
/* Output queues. The first chunk of an empty queue is small: most connections have little to
 * say. */
#include "conn/outq.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "io/stream.h"

#define IOV_MAX_USED 64
#define COPY_BELOW 4096u // hand-over copies up to so much behind the last chunk

void outq_seal(struct outq *q)
{
    if (q->tail) {
        q->tail->n = (uint32_t)(q->at - q->tail->bytes);
    }
}

void outq_grow(struct outq *q, struct chunk_pool *p, size_t n)
{
    struct chunk *c = chunk_new(p, q->head ? CHUNK_LARGE : CHUNK_SMALL, n);

    if (q->tail) {
        outq_seal(q);
        q->tail->next = c;
    } else {
        q->head = c;
    }
    q->tail = c;
    q->at = c->bytes;
    q->end = c->bytes + c->cap;
}

void outq_write(struct outq *q, struct chunk_pool *p, struct str s)
{
    while (s.n) {
        if (q->at == q->end) {
            outq_grow(q, p, 1);
        }
        size_t room = (size_t)(q->end - q->at);
        size_t n = s.n < room ? s.n : room;

        memcpy(q->at, s.p, n);
        outq_commit(q, q->at + n);
        s.p += n;
        s.n -= n;
    }
}

/* Copies what `from` holds behind the last byte of `to`, where there is room for it. */
static void copy_behind(struct outq *to, struct outq *from, struct chunk_pool *p)
{
    size_t skip = from->head_sent;
    struct chunk *next;

    for (struct chunk *c = from->head; c; c = next) {
        next = c->next;
        memcpy(to->at, c->bytes + skip, c->n - skip);
        to->at += c->n - skip;
        skip = 0;
        chunk_free(p, c);
    }
}

void outq_append(struct outq *to, struct outq *from, struct chunk_pool *p)
{
    outq_seal(from);
    if (from->n_bytes <= COPY_BELOW && (size_t)(to->end - to->at) >= from->n_bytes) {
        copy_behind(to, from, p);
    } else if (from->head) {
        if (to->tail) {
            outq_seal(to);
            to->tail->next = from->head;
        } else {
            to->head = from->head;
            to->head_sent = from->head_sent;
        }
        to->tail = from->tail;
        to->at = from->at;
        to->end = from->end;
    }
    to->n_bytes += from->n_bytes;
    to->n_msgs += from->n_msgs;
    to->n_msg_bytes += from->n_msg_bytes;
    *from = (struct outq){0};
}

void outq_clear(struct outq *q, struct chunk_pool *p)
{
    struct chunk *next;

    for (struct chunk *c = q->head; c; c = next) {
        next = c->next;
        chunk_free(p, c);
    }
    *q = (struct outq){.n_msgs = q->n_msgs, .n_msg_bytes = q->n_msg_bytes};
}

/* Drops n sent bytes from the front. */
static void consume(struct outq *q, struct chunk_pool *p, size_t n)
{
    q->n_bytes -= n;
    if (q->n_bytes == 0) {
        outq_clear(q, p);
        return;
    }
    n += q->head_sent;
    while (q->head && n >= q->head->n) {
        struct chunk *c = q->head;

        n -= c->n;
        q->head = c->next;
        chunk_free(p, c);
    }
    q->head_sent = (uint32_t)n;
}

int outq_send(struct outq *q, struct chunk_pool *p, struct stream *s)
{
    outq_seal(q);
    while (q->n_bytes) {
        UNINITIALIZED struct iovec iov[IOV_MAX_USED];
        int n = 0;
        size_t total = 0;
        size_t skip = q->head_sent;

        for (struct chunk *c = q->head; c && n < IOV_MAX_USED; c = c->next) {
            iov[n++] = (struct iovec){.iov_base = c->bytes + skip, .iov_len = c->n - skip};
            total += c->n - skip;
            skip = 0;
        }
        ssize_t r = stream_write(s, iov, n);
        if (r < 0) {
            return (int)r;
        }
        consume(q, p, (size_t)r);
        if ((size_t)r < total) {
            return -EAGAIN;
        }
    }
    return 0;
}
