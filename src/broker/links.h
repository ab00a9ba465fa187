/* SPDX-License-Identifier: Apache-2.0 */
/* What links live accounts to each other: the imports in force. Made of a tenancy at start and at
 * every reload; imports that mean the same as before stay as they are, so nobody notices. */
#pragma once

#include <stddef.h>

#include "broker/tenancy.h"

struct accounts;
struct stream_import;
struct sub;

/** Of one account; immutable. */
struct links {
    struct tenancy *tenancy;     // a reference
    const struct tenant *tenant; // the account in it; NULL: it is not there any more
    struct sub **services;       // n_services of them (service_import_of), each a reference
    size_t n_services;
    struct stream_import **streams; // n_streams of them, each a reference
    size_t n_streams;
};

/**
 * Have the accounts follow a tenancy; those that are new are made. What it replaces is kept for
 * those who look at it, until links_settle.
 * Thread: control.  Locks: indexes (write).
 */
void links_make(struct accounts *t, struct tenancy *tenancy);

/** Give up what links_make replaced: every worker has been between two messages since. Thread:
 * control. */
void links_settle(struct accounts *t);

/** Take all links down. Thread: control, after the workers ended. */
void links_deinit(struct accounts *t);
