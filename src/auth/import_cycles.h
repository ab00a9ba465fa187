/* SPDX-License-Identifier: Apache-2.0 */
/* Imports that lead back to where they begin (spec 05 §12): a request must not travel for ever. */
#pragma once

#include <stdbool.h>

struct import;
struct tenancy;

struct import_cycle {
    const struct import *import; // one of those that form it
    bool is_too_deep;            // not a cycle, but a chain too long to be followed
};

/**
 * Find services whose requests come back to an import that they have passed already, under whatever
 * subject. An import of an account's own service may take up its own requests: they are forwarded
 * once.
 * @return  whether there is such a cycle
 * Thread: any (as for the next one).
 */
bool import_cycle_find_service(const struct tenancy *t, struct import_cycle *out);

/**
 * Find streams that accounts import of each other in a circle, which export and import the same
 * subject all the way. (Messages would not go round: what is imported is not exported again.)
 */
bool import_cycle_find_stream(const struct tenancy *t, struct import_cycle *out);
