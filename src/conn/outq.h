/* SPDX-License-Identifier: Apache-2.0 */
/* An output queue: a chain of chunks, filled at the end, sent from the front. A connection has one;
 * what a worker has encoded for a connection elsewhere waits in one too, until it is handed over
 * whole. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "conn/chunk.h"

struct outq {
    struct chunk *head, *tail;
    char *at, *end;       // where the next byte goes, and the end of the tail's room
    size_t n_bytes;       // queued and not sent
    uint64_t n_msg_bytes; // payloads, headers included, of …
    uint32_t n_msgs;      // … the messages written since these counts were taken
    uint32_t head_sent;   // [bytes] of the head that are sent already
};

struct stream;

/** Append an empty chunk with room for n bytes; for outq_reserve. Thread: the owner of q and p. */
void outq_grow(struct outq *q, struct chunk_pool *p, size_t n);

/**
 * Make room for n bytes in one piece at the end.
 * @return  where they go; outq_commit says where they ended
 * Thread: the owner of q and p (as for all functions here).
 */
static inline char *outq_reserve(struct outq *q, struct chunk_pool *p, size_t n)
{
    if (UNLIKELY((size_t)(q->end - q->at) < n)) {
        outq_grow(q, p, n);
    }
    return q->at;
}

/** Count what was written from where outq_reserve said up to `end` as queued. */
static inline void outq_commit(struct outq *q, char *end)
{
    q->n_bytes += (size_t)(end - q->at);
    q->at = end;
}

/** Bring the counts of the chunks up to date, for whoever walks them. */
void outq_seal(struct outq *q);

/** Append bytes, across chunks where they do not fit. */
void outq_write(struct outq *q, struct chunk_pool *p, struct str s);

/**
 * Move everything queued in `from` to the end of `to`, counts included; `from` is empty then.
 * Little is copied behind the last chunk, much is linked, so that chunks stay well filled.
 */
void outq_append(struct outq *to, struct outq *from, struct chunk_pool *p);

/** Drop everything that is queued. */
void outq_clear(struct outq *q, struct chunk_pool *p);

/**
 * Send as much as the stream takes.
 * @return  0: all is sent; -EAGAIN: the stream takes no more now; another -errno: it failed
 */
int outq_send(struct outq *q, struct chunk_pool *p, struct stream *s);
