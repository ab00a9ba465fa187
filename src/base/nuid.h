/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of events: 22 digits of 0-9A-Za-z, a random beginning that tells one source from all others,
 * and a number that counts on. */
#pragma once

#include <stdint.h>

#include "base/str.h"

#define NUID_CHARS 22
#define NUID_PREFIX_CHARS 12

struct nuid {
    char text[NUID_CHARS]; // the last one
    uint64_t number;       // in it
};

/** Draw a beginning. Thread: the owner (as for the next). */
void nuid_init(struct nuid *n);

/** @return  the next id, borrowed until the call after. */
struct str nuid_next(struct nuid *n);
