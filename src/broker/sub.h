/* SPDX-License-Identifier: Apache-2.0 */
/* A subscription as the delivery path sees it: an immutable, reference-counted target record. It
 * can be encoded for by any worker without touching the connection that owns it; that connection is
 * named by a handle only. What changes after creation is atomic. */
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "conn/handle.h"

struct peer_ops;
struct rights;

/** Flags of a subscription. */
#define SUB_HEADERS 0x1u  // its client understands message headers, as CONNECT says
#define SUB_CLOSED 0x2u   // its client has unsubscribed: nobody encodes another message for it
#define SUB_LIMITED 0x4u  // it has a maximum, or is about to get one
#define SUB_FILTERED 0x8u // it may not have every message that matches (broker/filter.h)
#define SUB_ASKED 0x10u   // requests that it gets allow its client to reply (broker/grants.h)

/** So many deliveries are counted one by one (broker/match.h). */
#define SUB_YOUNG 64u

struct sub {
    _Atomic uint32_t refs;
    _Atomic uint32_t flags;          // SUB_HEADERS, …
    uint64_t owner;                  // handle of the receiving peer (conn/handle.h)
    const struct peer_ops *ops;      // how a message is written to that kind of peer
    _Atomic uint64_t n_delivered;    // messages so far, also the tickets of a limited subscription
    _Atomic uint64_t max;            // auto-unsubscribe after so many deliveries; 0: no limit
    _Atomic(struct rights *) rights; // a reference; set before FILTERED or ASKED is
    uint32_t sid_n, queue_n, subject_n; // [bytes]; queue_n 0: a plain subscription
    char bytes[];                       // sid, queue, subject, back to back
};

/**
 * Create a subscription with one reference, the caller's.
 * @param queue  queue group, empty for a plain subscription
 * Thread: any.
 */
struct sub *sub_new(uint64_t owner, const struct peer_ops *ops, struct str subject,
                    struct str queue, struct str sid);

/**
 * Create a subscription with a record of its peer's before it, in one piece of memory, that its
 * ops->release gives to mem_free by way of the record (sub_record).
 * @param record_n  [bytes] size of the record, which is zeroed
 * @return          the subscription, as by sub_new
 * Thread: any.
 */
struct sub *sub_new_behind(size_t record_n, uint64_t owner, const struct peer_ops *ops,
                           struct str subject, struct str queue, struct str sid);

/** @return  how far behind a record of so many bytes its subscription is. */
static inline size_t sub_offset(size_t record_n)
{
    return (record_n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

/** @return  the record before a subscription made by sub_new_behind with that size. */
static inline void *sub_record(const struct sub *s, size_t record_n)
{
    return (char *)(uintptr_t)s - sub_offset(record_n);
}

/** @return  the subscription behind such a record. */
static inline struct sub *sub_behind(const void *record, size_t record_n)
{
    return (struct sub *)(void *)((char *)(uintptr_t)record + sub_offset(record_n));
}

/**
 * Give a subscription the rights of its client, which others may look at from now on; match caches
 * that know it must be told to forget it.
 * @param subject  what the client subscribed to
 * @param rights   NULL: the client may do all
 * @return         a reference to the rights before, which others may still look at; or NULL
 * Thread: the owner's worker.
 */
MUST_USE struct rights *sub_set_rights(struct sub *s, struct str subject, struct rights *rights);

/** Take one more reference. @return s. Thread: any that holds one. */
static inline struct sub *sub_ref(struct sub *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

/** Give a reference back; the last one frees. NULL is allowed. Thread: any. */
void sub_unref(struct sub *s);

/** @return  its flags now. Thread: any that holds a reference. */
static inline uint32_t sub_flags(const struct sub *s)
{
    return atomic_load_explicit(&s->flags, memory_order_relaxed);
}

/** @return  whether it is a client's; those of the server itself are nobody's. Thread: any. */
static inline bool sub_is_of_client(const struct sub *s)
{
    return s->owner != HANDLE_NONE;
}

/** @return  the subscription id that its client chose, borrowed. Thread: any. */
static inline struct str sub_sid(const struct sub *s)
{
    return (struct str){.p = s->bytes, .n = s->sid_n};
}

/** @return  the queue group, empty for a plain subscription, borrowed. Thread: any. */
static inline struct str sub_queue(const struct sub *s)
{
    return (struct str){.p = s->bytes + s->sid_n, .n = s->queue_n};
}

/** @return  the subject as subscribed, wildcards included, borrowed. Thread: any. */
static inline struct str sub_subject(const struct sub *s)
{
    return (struct str){.p = s->bytes + s->sid_n + s->queue_n, .n = s->subject_n};
}
