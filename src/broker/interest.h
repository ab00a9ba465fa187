/* SPDX-License-Identifier: Apache-2.0 */
/* Who needs to know when interest begins and ends: when a subject, and a queue name or none, gets
 * its first subscription and when the last one goes. Part of a subject index (broker/index.h),
 * which says what happens. Patterns are subjects like others here: "a.*" is no interest in "a.b".
 *
 * All changes of an index that has listeners are told one after the other, in the order in which
 * they happened; that costs nothing where nobody listens. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/ptrset.h"
#include "base/str.h"

struct interest_listener;

/** What has happened; strings are borrowed. */
struct interest_change {
    struct str subject, queue; // queue empty: subscriptions that are in no queue group
    bool is_there;             // the first one has come, or some are there; else the last has gone
};

/**
 * Be told of a change. Whoever subscribes or unsubscribes waits for it, with no lock of the index
 * held but that of its listeners: so it may match, look and post, but it may not add to an index or
 * remove from one, nor add or remove listeners.
 * Thread: that which changes the index, one at a time.
 */
typedef void (*interest_fn)(struct interest_listener *l, const struct interest_change *change);

/** Embedded in whoever wants to know. What it listens to stays as it is while it listens. */
struct interest_listener {
    interest_fn on_change;
    struct str subject, queue;      // borrowed; both empty: all subjects and queues
    struct interest_listener *next; // of those that listen to the same; internal
};

struct interest {
    pthread_mutex_t lock; // held until all have been told of a change
    atomic_bool is_on;    // somebody listens. Release and acquire: who finds it off comes after all
                          // that was done while it was on
    struct ptrset heads;  // of the listeners to the same; guarded by: lock
};

/** Make it empty. Thread: the owner. */
void interest_init(struct interest *in);

/** Forget all listeners. Thread: the owner, nobody uses it any more. */
void interest_deinit(struct interest *in);

/** @return  whether somebody listens; this may change at once unless one holds the lock. Thread:
 * any. */
static inline bool interest_is_on(const struct interest *in)
{
    return atomic_load_explicit(&in->is_on, memory_order_acquire);
}

/** Add a listener. @return  false if it is there already. Locks: in->lock, held by the caller. */
MUST_USE bool interest_add(struct interest *in, struct interest_listener *l);

/** Remove a listener. @return  whether it was there. Locks: in->lock, held by the caller. */
bool interest_remove(struct interest *in, struct interest_listener *l);

/** Tell all whom a change concerns. Locks: in->lock, held by the caller. */
void interest_tell(const struct interest *in, const struct interest_change *change);
