/* SPDX-License-Identifier: Apache-2.0 */
/* Permissions of a user: what it may publish and subscribe to (spec 04 §7). Built by one thread,
 * immutable and counted from then on: clients on all workers share them. Whoever has no struct
 * perms may do everything. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/copy.h"
#include "base/status.h"
#include "base/str.h"

struct perms;

/** An allow list without entries allows everything, but see perms_allow_responses. */
enum perms_list { PERMS_PUB_ALLOW, PERMS_PUB_DENY, PERMS_SUB_ALLOW, PERMS_SUB_DENY, PERMS_LISTS };

/** What a client may publish in response to a request. */
struct perms_responses {
    int64_t max;        // messages per request; negative: any number
    int64_t expires_ns; // after the request; negative: never
};

/** @return  permissions without restrictions and one reference, the caller's. Thread: any. */
struct perms *perms_new(void);

/** Take one more reference. @return p. Thread: any that holds one. */
struct perms *perms_ref(struct perms *p);

/** Give a reference back; the last one frees. NULL is allowed. Thread: any. */
void perms_unref(struct perms *p);

/**
 * Add an entry to a list. Entries are kept in order, for perms_entries.
 * @param entry  a subject; in the lists of subscriptions also "subject queue", where the queue may
 *               be a pattern of names in the form of subjects: "v.*"
 * @param why    what is wrong with it is appended, for people, if ST_BAD_VALUE is returned
 * Thread: the one that builds p.
 */
MUST_USE enum status perms_add(struct perms *p, enum perms_list list, struct str entry,
                               struct buf *why);

/**
 * Allow to publish to the reply subject of each request that comes. An empty allow list of
 * publishing then allows nothing more.
 * @param max         0: 1; else as in struct perms_responses
 * @param expires_ns  0: two minutes; likewise
 * Thread: the one that builds p.
 */
void perms_allow_responses(struct perms *p, int64_t max, int64_t expires_ns);

/** @return  whether perms_allow_responses was called. Thread: any. */
bool perms_allows_responses(const struct perms *p);

/** @return  what perms_allow_responses set. Thread: any. */
struct perms_responses perms_responses(const struct perms *p);

/** @return  the n entries of a list as they were added, borrowed. Thread: any. */
const struct str *perms_entries(const struct perms *p, enum perms_list list, size_t *n);

/** @return  whether both have the same entries in the same order, and allow the same responses.
 * Thread: any. */
bool perms_equal(const struct perms *a, const struct perms *b);

/**
 * @return  whether the lists allow to publish to a subject, whose "*" and ">" are plain text; what
 *          they refuse a grant may still allow (broker/grants.h).
 * Thread: any (as for all functions below).  Locks: none.
 */
bool perms_may_publish(const struct perms *p, struct str subject);

/**
 * @param queue  empty: a plain subscription
 * @return       whether one may subscribe so. A pattern must be allowed in all that it matches; of
 *               what is denied it may match a part, see perms_needs_filter.
 */
bool perms_may_subscribe(const struct perms *p, struct str subject, struct str queue);

/** @return  whether an allowed subscription matches subjects that are denied, so that each of its
 * messages needs perms_may_deliver. */
bool perms_needs_filter(const struct perms *p, struct str subject, struct str queue);

/** @return  whether a message may be handed to a subscription that needs the filter.
 * @param subject  of the message
 * @param queue    of the subscription */
bool perms_may_deliver(const struct perms *p, struct str subject, struct str queue);

#define PERMS_CACHE_SLOTS 16u // a power of two
/** Longer subjects are not kept. */
#define PERMS_CACHE_BYTES 60u

/** What a client was allowed to publish to of late, for publishers that stay with a few subjects.
 * Zero is empty. It must not outlive the permissions, nor be used with others. */
struct perms_cache {
    uint32_t last; // the slot used last
    struct perms_cache_slot {
        uint32_t n; // [bytes] of the subject; 0: free
        char subject[PERMS_CACHE_BYTES];
    } slots[PERMS_CACHE_SLOTS];
};

/** perms_cached_may_publish for another subject than the last. Thread: the owner of the cache. */
bool perms_cache_ask(struct perms_cache *c, const struct perms *p, struct str subject);

/** @return  what perms_may_publish says. Thread: the owner of the cache. */
static inline bool perms_cached_may_publish(struct perms_cache *c, const struct perms *p,
                                            struct str subject)
{
    const struct perms_cache_slot *last = &c->slots[c->last];

    if (LIKELY(subject.n && subject.n == last->n &&
               bytes_equal(last->subject, subject.p, subject.n))) {
        return true;
    }
    return perms_cache_ask(c, p, subject);
}
