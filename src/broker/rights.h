/* SPDX-License-Identifier: Apache-2.0 */
/* What a client may do: the permissions of its user, and the replies that it may send because it
 * was asked (spec 04 §7). Shared with its subscriptions, which other workers look at when they
 * deliver. A reload gives a client new ones. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "broker/grants.h"
#include "broker/perms.h"

struct rights {
    _Atomic uint32_t refs;
    struct perms *perms;      // a reference
    struct grants *grants;    // owned; NULL: being asked allows nothing
    struct perms_cache cache; // only for the worker of the client
};

/** Make rights of permissions. @return one reference, the caller's. Thread: any. */
struct rights *rights_new(struct perms *perms);

/** Take one more reference. @return r. Thread: any that holds one. */
struct rights *rights_ref(struct rights *r);

/** Give a reference back; NULL is allowed. Thread: any. */
void rights_unref(struct rights *r);

/**
 * May the client publish to the subject now? A grant to reply is used up by the question.
 * Thread: the worker of the client.
 */
static inline bool rights_may_publish(struct rights *r, struct str subject)
{
    return perms_cached_may_publish(&r->cache, r->perms, subject) ||
           (r->grants && grants_take(r->grants, subject, clock_now_ns()));
}
