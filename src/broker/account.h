/* SPDX-License-Identifier: Apache-2.0 */
/* An account: a subject space of its own, and what links it to others. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn/tally.h"

struct index;
struct links;
struct mappings;
struct responses;

/** The name of the account that is always there, and of all who need not log in. */
#define ACCOUNT_GLOBAL "$G"

struct account {
    char *name; // "$G" for the global account
    struct index *index;
    struct responses *responses; // that its services owe, and that its clients wait for
    /* What a reload replaces. Borrowed by whoever looks, until its worker has settled
     * (broker/links.h). */
    _Atomic(const struct mappings *) mappings; // NULL: none
    _Atomic(struct links *) links;             // NULL: none
    struct links *retired;                     // the ones before; thread: control
    _Atomic int64_t n_clients;
    _Atomic int64_t max_clients; // less than 0: no limit
    _Atomic int64_t n_surplus;   // clients that are to go (base/quota.h), as the limit was lowered
    _Atomic uint64_t n_slow;     // of its consumers, those that were too slow
    struct tally *tallies;       // of the messages of its clients, by worker number
    unsigned n_tallies;
};

/**
 * Create an account for `n_readers` workers (the highest worker number + 1).
 * @param server_hash  as for responses_new
 * Thread: control.
 */
struct account *account_new(const char *name, unsigned n_readers, const char *server_hash);

/** Say how many clients it may have; less than 0: any number. If there are more, as many have to
 * go. Thread: control. */
void account_set_limit(struct account *a, int64_t max_clients);

/** Count one more client. @return false: it has as many as it may; nothing was counted.
 * Thread: any. */
bool account_enter(struct account *a);

/** @return  whether a message may have to go elsewhere than it was published to. Thread: any. */
static inline bool account_has_mappings(const struct account *a)
{
    return atomic_load_explicit(&a->mappings, memory_order_relaxed) != NULL;
}

/** @return  where a worker counts the messages of its clients. Thread: that worker. */
static inline struct tally *account_tally(const struct account *a, unsigned worker)
{
    return &a->tallies[worker];
}

/** @return  the messages of all its clients so far. Thread: any. */
struct traffic account_traffic(const struct account *a);

/** Count one client less. Thread: any. */
void account_leave(struct account *a);

/** Free an account that nobody refers to any more; NULL is allowed. Thread: control. */
void account_free(struct account *a);
