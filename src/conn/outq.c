/* SPDX-License-Identifier: Apache-2.0 */
/* Output queues. The first chunk of an empty queue is small: most connections have little to say. */
#include "conn/outq.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "io/stream.h"

#define IOV_MAX_USED 64
#define COPY_BELOW   4096u // hand-over copies up to so much behind the last chunk

void outq_grow(struct outq *q, struct chunk_pool *p, size_t n)
{
    struct chunk *c = chunk_new(p, q->head ? CHUNK_LARGE : CHUNK_SMALL, n);

    if (q->tail) {
        q->tail->next = c;
    } else {
        q->head = c;
    }
    q->tail = c;
}

void outq_write(struct outq *q, struct chunk_pool *p, struct str s)
{
    while (s.n) {
        if (!q->tail || q->tail->n == q->tail->cap) {
            outq_grow(q, p, 1);
        }
        size_t room = q->tail->cap - q->tail->n;
        size_t n = s.n < room ? s.n : room;

        memcpy(q->tail->bytes + q->tail->n, s.p, n);
        outq_commit(q, n);
        s.p += n;
        s.n -= n;
    }
}

void outq_append(struct outq *to, struct outq *from, struct chunk_pool *p)
{
    struct chunk *c = from->head;

    if (c && to->tail && from->n_bytes <= COPY_BELOW &&
        to->tail->cap - to->tail->n >= from->n_bytes) {
        size_t skip = from->head_sent;

        while (c) {
            struct chunk *next = c->next;

            memcpy(to->tail->bytes + to->tail->n, c->bytes + skip, c->n - skip);
            to->tail->n += c->n - (uint32_t)skip;
            skip = 0;
            chunk_free(p, c);
            c = next;
        }
    } else if (c) {
        if (to->tail) {
            to->tail->next = c;
        } else {
            to->head = c;
            to->head_sent = from->head_sent;
        }
        to->tail = from->tail;
    }
    to->n_bytes += from->n_bytes;
    to->n_msgs += from->n_msgs;
    to->n_msg_bytes += from->n_msg_bytes;
    *from = (struct outq){0};
}

void outq_clear(struct outq *q, struct chunk_pool *p)
{
    struct chunk *c = q->head;

    while (c) {
        struct chunk *next = c->next;

        chunk_free(p, c);
        c = next;
    }
    q->head = q->tail = NULL;
    q->n_bytes = 0;
    q->head_sent = 0;
}

/* Drops n sent bytes from the front. */
static void consume(struct outq *q, struct chunk_pool *p, size_t n)
{
    q->n_bytes -= n;
    n += q->head_sent;
    while (q->head && n >= q->head->n) {
        struct chunk *c = q->head;

        n -= c->n;
        q->head = c->next;
        chunk_free(p, c);
    }
    q->head_sent = (uint32_t)n;
    if (!q->head) {
        q->tail = NULL;
    }
}

int outq_send(struct outq *q, struct chunk_pool *p, struct stream *s)
{
    while (q->n_bytes) {
        struct iovec iov[IOV_MAX_USED];
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
