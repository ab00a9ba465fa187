/* SPDX-License-Identifier: Apache-2.0 */
/* The match cache of a worker: subject → the subscriptions it reaches. A hit takes no lock: it is
 * valid while the generation that concerns its subject is unchanged (broker/index.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/copy.h"
#include "base/str.h"
#include "broker/index.h"
#include "broker/sub.h"
#include "io/timer.h"

struct account;
struct mapping;
struct worker;

/** Subjects up to this length lie in the entry itself. */
#define MATCH_INLINE_BYTES 40u

struct match_entry {
    uint64_t hash;
    const struct account *account; // NULL: empty
    struct index_watch watch;
    uint64_t generation;           // of the index when `match` was made
    struct match *match;           // NULL: nothing matches
    const struct mapping *mapping; // of a client that publishes to it; NULL: none
    char *long_subject;            // a subject that does not fit into `subject`
    uint32_t subject_n;
    uint32_t last_use; // cache->uses then
    uint32_t n_hits;   // messages delivered to all plain subscriptions and not counted there yet
    /* A plain subscription is young or limited: each delivery needs a ticket. */
    bool needs_tickets;
    uint8_t n_ticketed; // messages delivered so, modulo 256
    struct match_entry *next_hit;
    char subject[MATCH_INLINE_BYTES];
};

struct match_cache {
    struct match_entry *entries; // sets of MATCH_WAYS
    struct match_entry *hit;     // those with n_hits
    uint32_t n_sets;             // a power of two
    uint32_t uses;               // a clock for last_use
    uint32_t n_evicted;          // live entries thrown out since the last growth
    uint32_t sweep;              // where to make room next
    size_t n_subs;               // of all matches
    unsigned reader;             // number of the worker
    struct worker *worker;
    struct timer purge; // set while there are entries that may go out of date
};

/** Where a publisher found its last subject; valid for one cache as long as that does not grow. */
struct match_hint {
    struct match_entry *entry;
    uint32_t n_sets;
};

/** Prepare the cache of a worker. Thread: before the worker runs. */
void match_cache_init(struct match_cache *c, struct worker *w);

/** Drop everything. Thread: the owner, or after it ended. */
void match_cache_deinit(struct match_cache *c);

/** Look again whether an entry needs tickets. Thread: the owner. */
void match_check_tickets(struct match_entry *e);

/**
 * Count a message as delivered to all plain subscriptions of an entry. Those that gave no tickets
 * learn of it by match_settle: one addition per burst each, instead of one per message.
 * Thread: the owner.
 */
static inline void match_hit(struct match_cache *c, struct match_entry *e)
{
    if (UNLIKELY(e->needs_tickets)) {
        if (++e->n_ticketed % SUB_YOUNG == 0) {
            match_check_tickets(e);
        }
    } else if (e->n_hits++ == 0) {
        e->next_hit = c->hit;
        c->hit = e;
    }
}

/** Bring the counts of all subscriptions up to date; before output leaves. Thread: the owner. */
void match_settle(struct match_cache *c);

/** match_find when the hint does not help. */
struct match_entry *match_find_slowly(struct match_cache *c, const struct account *a,
                                      struct str subject, struct match_hint *hint);

/**
 * Find the subscriptions that a published subject reaches.
 * @param hint  the publisher's, zeroed at first
 * @return      borrowed until the next call for this cache; its `match` is NULL if nothing matches
 * Thread: the owner. Locks: the account's index (read) if the cache does not know.
 */
static inline struct match_entry *match_find(struct match_cache *c, const struct account *a,
                                             struct str subject, struct match_hint *hint)
{
    struct match_entry *e = hint->entry;

    if (e && hint->n_sets == c->n_sets && e->account == a && e->subject_n == subject.n &&
        subject.n <= MATCH_INLINE_BYTES && bytes_equal(e->subject, subject.p, subject.n) &&
        index_generation(&e->watch) == e->generation) {
        return e;
    }
    return match_find_slowly(c, a, subject, hint);
}
