/* SPDX-License-Identifier: Apache-2.0 */
/* What an index should answer: a list of subscriptions, searched from end to end. For the property
 * test and the fuzz target; a difference aborts (ENSURE). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "broker/index.h"
#include "broker/interest.h"
#include "broker/sub.h"

#define MODEL_WATCHES 16u
#define MODEL_LISTENERS 8u

/** A published subject whose generation is followed. */
struct model_watch {
    struct str subject;
    struct index_watch watch;
    uint64_t generation; // after the last change
    char bytes[64];
};

/** A listener, and what it knows. */
struct model_listener {
    struct interest_listener l;
    bool is_on; // it listens
    bool is_told;
    size_t n_there; // subjects and queues that have subscriptions
    char bytes[64];
};

struct model {
    struct index *ix;
    struct sub **subs; // each counted, all in the index
    size_t n, cap;
    uint64_t next_id; // the owner of a subscription: tells them apart
    struct model_watch watches[MODEL_WATCHES];
    size_t n_watches;
    struct model_listener listeners[MODEL_LISTENERS]; // the first listens to all
    size_t n_keys;                                    // different pairs of subject and queue
};

/** Make an empty model and its index. Thread: the owner (as for all functions here). */
void model_init(struct model *m);

/** Free both; all references must have come back. */
void model_deinit(struct model *m);

/** Follow the generation of a subject of at most 64 bytes. */
void model_watch(struct model *m, struct str subject);

/** Add a subscription to both; the subject must be valid. */
void model_add(struct model *m, struct str subject, struct str queue);

/** Remove the i-th subscription from both, twice from the index. */
void model_remove(struct model *m, size_t i);

/** Remove n subscriptions from the i-th on, at once. */
void model_remove_all(struct model *m, size_t i, size_t n);

/** Put two subscriptions in the place of the i-th: one with these, one with its own subject and
 * queue. */
void model_exchange(struct model *m, size_t i, struct str subject, struct str queue);

/** Make a listener begin or stop; the first listens to all, the others to a subject of at most 64
 * bytes, which may be one that cannot be listened to. */
void model_toggle_listener(struct model *m, size_t i, struct str subject, struct str queue);

/** Compare what both say of subscriptions that a pattern covers, or overlaps with.
 * @return  subscriptions found */
size_t model_check_reverse(struct model *m, struct str pattern, enum trie_relation relation);

/** Compare what both find for a subject. @return  subscriptions found */
size_t model_check_match(struct model *m, struct str subject);
