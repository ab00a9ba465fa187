/* SPDX-License-Identifier: Apache-2.0 */
/* The responses that the clients of an account wait for from others: by the replies that they
 * named, so that those can be found which a subscription took that is gone now, and by age. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "broker/gather.h"
#include "broker/trie.h"

struct match;
struct response;

/** So many of one account: then its oldest make room. */
#define AWAITED_MAX (1u << 18)

struct awaited {
    pthread_mutex_t lock;
    struct trie replies;           // guarded by: lock. Their subscriptions
    struct trie_walk walk;         // guarded by: lock
    struct gather found;           // guarded by: lock
    struct response *first, *last; // guarded by: lock. The oldest first
    _Atomic uint64_t n;
};

/** Make it empty. Thread: control. */
void awaited_init(struct awaited *a);

/** Release what it holds. Thread: any, nobody else uses it any more. */
void awaited_deinit(struct awaited *a);

/**
 * Add a response; a reference is taken.
 * @return  one that has to make room for it, with a reference: it is still here; NULL: none
 * Thread: any.  Locks: a (as for the following).
 */
MUST_USE struct response *awaited_add(struct awaited *a, struct response *p);

/** Remove a response that was added, once, and the reference taken then. */
void awaited_remove(struct awaited *a, struct response *p);

/** @return  the subscriptions of those whose replies a valid pattern matches; owned by the caller
 * (match_free). NULL: there are none */
MUST_USE struct match *awaited_find(struct awaited *a, struct str pattern);
