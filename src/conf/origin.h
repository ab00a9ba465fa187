/* SPDX-License-Identifier: Apache-2.0 */
/* Where options were set: what a message about one can point at. */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/diag.h"
#include "conf/option.h"

struct origin {
    struct option_slot slot;
    struct diag_place at; // no file: the command line
};

/** All zero: nothing was set. */
struct origins {
    struct arena arena; // names of files
    struct origin *list;
    size_t n;
};

/** Note that an option was set. @param at  copied; NULL: on the command line. Thread: the owner (as
 * for all here). */
void origins_add(struct origins *o, const struct option_slot *slot, const struct diag_place *at);

/** @return  where an option was last set; NULL: nowhere, it has its default. Borrowed until the
 * next origins_add. */
const struct origin *origins_find(const struct origins *o, const struct option_slot *slot);

/** Release what origins_add allocated. */
void origins_deinit(struct origins *o);
