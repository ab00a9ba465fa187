/* SPDX-License-Identifier: Apache-2.0 */
/* The subscriptions of one client by the id it gave them. */
#pragma once

#include "base/ptrset.h"
#include "base/str.h"

struct sub;

struct sids {
    struct ptrset set;
};

/** @return  the subscription with this id, or NULL.
 * Thread: the client's worker (as for all here). */
struct sub *sids_find(const struct sids *s, struct str sid);

/** Add a subscription whose id is not in use; the reference goes to the table. */
void sids_add(struct sids *s, struct sub *take_sub);

/** Take a subscription out; the reference goes to the caller. @return false if it is not there. */
bool sids_remove(struct sids *s, struct sub *sub);

/** @return  how many there are. */
static inline uint32_t sids_count(const struct sids *s)
{
    return s->set.n;
}

/** Take all out into a new array of sids_count() references, the caller's; NULL if there are
 * none. */
struct sub **sids_take_all(struct sids *s);
