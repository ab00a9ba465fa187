/* SPDX-License-Identifier: Apache-2.0 */
/* Grants of responses: a client whose permissions allow them (perms_allow_responses) may publish to
 * the reply subject of each request that was delivered to it, so often and for so long. Whichever
 * worker delivers a request grants, the client's own worker uses up: shared and locked.
 *
 * Bounded: the oldest grants make room. Adding and taking are O(1). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

struct grants;
struct perms;

/** [bytes] of live grants of one client: some 70,000 with reply subjects of usual length. */
#define GRANTS_MAX_BYTES (8u << 20)

/** Create an empty set, owned by the caller, for permissions that allow responses; they say how
 * often a grant may be used, and for how long. Thread: any. */
struct grants *grants_new(const struct perms *p);

/** Free it; NULL is allowed. Thread: any, nobody else uses it any more. */
void grants_free(struct grants *g);

/**
 * Grant a reply subject; if it has a grant, that is renewed.
 * @param now_ns  monotonic, of any worker
 * Thread: any.  Locks: g.
 */
void grants_add(struct grants *g, struct str reply, int64_t now_ns);

/**
 * Use a grant for exactly this subject.
 * @return  whether there was one
 * Thread: any.  Locks: g.
 */
MUST_USE bool grants_take(struct grants *g, struct str reply, int64_t now_ns);

/** Free the memory of grants that are over; they go by themselves as others come. Thread: any.
 * Locks: g. */
void grants_sweep(struct grants *g, int64_t now_ns);

/** @return  number of grants, some of which may be over. Thread: as grants_sweep. */
size_t grants_count(struct grants *g);
