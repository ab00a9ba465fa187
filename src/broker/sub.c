/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a subscription record; the count of references is its only owner. */
#include "broker/sub.h"

#include "base/mem.h"

struct sub *sub_new(uint64_t owner, const struct peer_ops *ops, struct str subject,
                    struct str queue, struct str sid)
{
    struct sub *s = mem_alloc(sizeof(*s) + sid.n + queue.n + subject.n);
    char *at = s->bytes;

    atomic_init(&s->refs, 1);
    atomic_init(&s->flags, 0);
    s->owner = owner;
    s->ops = ops;
    atomic_init(&s->n_delivered, 0);
    atomic_init(&s->max, 0);
    s->sid_n = (uint32_t)sid.n;
    s->queue_n = (uint32_t)queue.n;
    s->subject_n = (uint32_t)subject.n;
    memcpy(at, sid.p, sid.n);
    at += sid.n;
    if (queue.n) {
        memcpy(at, queue.p, queue.n);
        at += queue.n;
    }
    memcpy(at, subject.p, subject.n);
    return s;
}

void sub_unref(struct sub *s)
{
    if (s && atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1) {
        mem_free(s);
    }
}
