/* SPDX-License-Identifier: Apache-2.0 */
/* The subject index of an account: which subscriptions does a subject reach?
 *
 * A trie of tokens. Shared by all workers under a distributed reader lock: one mutex per worker on
 * its own cache line, a reader takes its own, a writer takes all, in order. Readers are cache
 * misses only (broker/match.h). Every change bumps a generation counter chosen by the first tokens
 * of the changed subject, so that a SUB makes stale only those cached matches that it could
 * concern.
 *
 * Cost: adding and removing are O(tokens), amortised, however many share a subject or a queue
 * group; the writer lock is two mutex operations per reader on top. A match visits the nodes that
 * fit the subject, and then each subscription found, once. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "broker/gather.h"
#include "broker/trie.h"

struct index;
struct interest_listener;
struct sub;

/** One queue group of a match: all members whose subjects match, of which one will get the
 * message. */
struct match_group {
    uint32_t first; // its members are subs[first .. first + n - 1] of the match
    uint32_t n;
};

/** The subscriptions that a subject reaches: values, each subscription counted. */
struct match {
    uint32_t n_subs;            // all of them
    uint32_t n_plain;           // subs[0 .. n_plain-1]: plain subscriptions
    uint32_t n_groups;          // queue groups; their members follow the plain ones in subs
    struct match_group *groups; // n_groups of them; NULL if none
    struct sub *subs[];
};

/**
 * Create an index for `n_readers` workers; a writer may be any thread.
 * Thread: any.
 */
struct index *index_new(unsigned n_readers);

/**
 * Free an index and drop its references to subscriptions; nobody uses it any more. NULL is allowed.
 * Thread: any.
 */
void index_free(struct index *ix);

/**
 * Add a subscription; its subject must be a valid subscription subject (proto/subject.h).
 * When this returns every worker finds it. Takes a reference to s.
 * Thread: any. Locks: the index (write).
 */
void index_add(struct index *ix, struct sub *s);

/**
 * Make matches with s out of date, as something about it has changed that they depend on.
 * Thread: any. Locks: the index (write).
 */
void index_touch(struct index *ix, const struct sub *s);

/** Make all that is known of any subject out of date. Thread: any. Locks: the index (write). */
void index_touch_all(struct index *ix);

/**
 * Remove a subscription that was added, and the reference taken then.
 * @return  false if it was not in the index (nothing happened)
 * Thread: any. Locks: the index (write).
 */
bool index_remove(struct index *ix, struct sub *s);

/**
 * Remove many (a connection that closes with many subscriptions), and the references taken when
 * they were added. Those that are not in the index are passed over. The lock is given up now and
 * then, so that readers are not held up for long: they may see some gone and others not yet.
 * @param subs  each held by the caller until return
 * Thread: any. Locks: the index (write).
 */
void index_remove_all(struct index *ix, struct sub *const *subs, size_t n);

/**
 * Remove some and add others in one step: whoever looks finds these or those. As index_remove and
 * index_add; listeners are not told of what only changes hands.
 * @param out, in  each held by the caller until return
 * Thread: any. Locks: the index (write).
 */
void index_exchange(struct index *ix, struct sub *const *out, size_t n_out, struct sub *const *in,
                    size_t n_in);

/**
 * Find all subscriptions that match a published subject. Tokens of the subject are literal, "*" and
 * ">" included: a subject with empty tokens reaches nothing.
 * @param reader      number of the calling worker, below n_readers
 * @param generation  out: what index_generation said at that moment
 * @return  owned by the caller, release with match_free; NULL if nothing matches
 * Thread: that worker. Locks: its own reader lock.
 */
MUST_USE struct match *index_match(struct index *ix, unsigned reader, struct str subject,
                                   uint64_t *generation);

/** The same, whatever the rights of the clients. */
MUST_USE struct match *index_match_all(struct index *ix, unsigned reader, struct str subject);

/**
 * Look whether a published subject reaches any subscription, whatever the rights of its client.
 * Stops at the first.
 * @param reader  as for index_match
 * Thread: that worker. Locks: its own reader lock.
 */
bool index_has_interest(struct index *ix, unsigned reader, struct str subject);

/**
 * @param pattern  valid
 * @return         whether some subscription takes all that the pattern does; if that ends with ">"
 *                 only one of the same text is found
 * Thread: the reader.
 */
bool index_covers(struct index *ix, unsigned reader, struct str pattern);

/**
 * The other way round: find all subscriptions whose subjects have to do with a pattern; ">" is
 * related to all. O(nodes visited + found), and others cannot subscribe meanwhile.
 * @param reader   as for index_match
 * @param pattern  valid (proto/subject.h)
 * @return         owned by the caller, release with match_free; NULL if there are none
 * Thread: that worker. Locks: its own reader lock.
 */
MUST_USE struct match *index_reverse_match(struct index *ix, unsigned reader, struct str pattern,
                                           enum trie_relation relation);

/** Which subscriptions to count. */
struct index_census {
    struct str subject; // literal: those that it reaches, whatever the rights of their clients;
                        // with wildcards: those whose subjects it covers; not valid: none
    struct str queue;   // of this queue group only; empty: all, in queue groups or not
    gather_counts_fn counts; // of these only; NULL: all
};

/**
 * Count subscriptions, members of queue groups one by one.
 * @param reader  as for index_match
 * Thread: that worker. Locks: its own reader lock.
 */
uint64_t index_count_matches(struct index *ix, unsigned reader, const struct index_census *census);

/**
 * Add a listener (broker/interest.h), and tell it before returning: of its subject and queue
 * whether somebody has subscribed to just this; or, if it listens to all, of each subject and queue
 * that there is. From then on it is told of each change, in order, until it is removed.
 * @return  false if it is there already, or if its subject is not literal
 * Thread: any, but not that of a listener while it is told. Locks: the listeners', the index
 * (write).
 */
MUST_USE bool index_add_listener(struct index *ix, struct interest_listener *l);

/**
 * Remove a listener. When this returns it is not being told of anything, nor will be.
 * @return  whether it was there
 * Thread: any, but not that of a listener while it is told. Locks: the listeners'.
 */
bool index_remove_listener(struct index *ix, struct interest_listener *l);

/** Drop the references of a match and free it; NULL is allowed. Thread: any. */
void match_free(struct match *m);

/** Where to read the generation that concerns one subject: counters, found once per subject. */
struct index_watch {
    const _Atomic uint64_t *any, *first, *second;
};

/**
 * @return  the counters to watch for a published subject; they live as long as the index.
 * Thread: any.
 */
struct index_watch index_watch(struct index *ix, struct str subject);

/**
 * @return  a number that changes whenever a change of the index may concern the watched subject.
 * Thread: any. Locks: none.
 */
static inline uint64_t index_generation(const struct index_watch *w)
{
    return atomic_load_explicit(w->any, memory_order_acquire) +
           atomic_load_explicit(w->first, memory_order_acquire) +
           atomic_load_explicit(w->second, memory_order_acquire);
}

/** @return  number of subscriptions in the index. Thread: any. */
uint64_t index_count(const struct index *ix);

/**
 * List the subscriptions of the server itself: those without an owner (conn/handle.h).
 * @param n  out: how many there are
 * @return   an array of references, both the caller's
 * Thread: the worker of that reader. Locks: the index (read).
 */
MUST_USE struct sub **index_list_own(struct index *ix, unsigned reader, size_t *n);

/** What an index has done so far, or several together. */
struct index_stats {
    uint64_t n_subs;    // that are there
    uint64_t n_removed; // that were
    uint64_t n_matches; // times that it was asked what a subject reaches, as a cache did not know
    uint64_t n_found;   // subscriptions found then, in all
    uint32_t max_found; // the most at once
};

/** Add what an index has done to `out`. Thread: any. Locks: each reader's, one after the other. */
void index_stats(struct index *ix, struct index_stats *out);
