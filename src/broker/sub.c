/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a subscription record; the count of references is its only owner. */
#include "broker/sub.h"

#include <string.h>

#include "base/mem.h"
#include "broker/peer.h"
#include "broker/rights.h"

/* An empty slice may have no address. */
static char *add_bytes(char *at, struct str s)
{
    if (s.n) {
        memcpy(at, s.p, s.n);
    }
    return at + s.n;
}

struct sub *sub_new_behind(size_t record_n, uint64_t owner, const struct peer_ops *ops,
                           struct str subject, struct str queue, struct str sid)
{
    size_t offset = sub_offset(record_n);
    char *record = mem_alloc(offset + sizeof(struct sub) + sid.n + queue.n + subject.n);
    struct sub *s = sub_behind(record, record_n);
    char *at = s->bytes;

    memset(record, 0, offset);

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
    at = add_bytes(at, sid);
    at = add_bytes(at, queue);
    add_bytes(at, subject);
    return s;
}

struct sub *sub_new(uint64_t owner, const struct peer_ops *ops, struct str subject,
                    struct str queue, struct str sid)
{
    return sub_new_behind(0, owner, ops, subject, queue, sid);
}

struct rights *sub_set_rights(struct sub *s, struct str subject, struct rights *rights)
{
    uint32_t flags = 0;

    if (rights && perms_needs_filter(rights->perms, subject, sub_queue(s))) {
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
        if (s->ops && s->ops->release) {
            s->ops->release(s);
        } else {
            mem_free(s);
        }
    }
}
