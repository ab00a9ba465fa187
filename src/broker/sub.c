/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a subscription record; the count of references is its only owner. */
#include "broker/sub.h"

#include "base/mem.h"
#include "broker/rights.h"

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
    atomic_init(&s->rights, NULL);
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

struct rights *sub_set_rights(struct sub *s, struct rights *rights)
{
    uint32_t flags = 0;

    if (rights && perms_needs_filter(rights->perms, sub_subject(s), sub_queue(s))) {
        flags |= SUB_FILTERED;
    }
    if (rights && rights->grants) {
        flags |= SUB_ASKED;
    }
    struct rights *old = atomic_exchange(&s->rights, flags ? rights_ref(rights) : NULL);
    atomic_fetch_and(&s->flags, ~(SUB_FILTERED | SUB_ASKED));
    atomic_fetch_or(&s->flags, flags);
    return old;
}

void sub_unref(struct sub *s)
{
    if (s && atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1) {
        rights_unref(atomic_load(&s->rights));
        mem_free(s);
    }
}
