/* SPDX-License-Identifier: Apache-2.0 */
/* An account: a subject space of its own. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct index;

struct account {
    char *name; // "$G" for the global account
    struct index *index;
    _Atomic int64_t n_clients;
    _Atomic int64_t max_clients; // less than 0: no limit
};

/**
 * Create an account for `n_readers` workers (the highest worker number + 1).
 * Thread: control.
 */
struct account *account_new(const char *name, unsigned n_readers);

/** Say how many clients it may have; less than 0: any number. Thread: any. */
void account_set_limit(struct account *a, int64_t max_clients);

/** Count one more client. @return false: it has as many as it may; nothing was counted.
 * Thread: any. */
bool account_enter(struct account *a);

/** Count one client less. Thread: any. */
void account_leave(struct account *a);

/** Free an account that nobody refers to any more; NULL is allowed. Thread: control. */
void account_free(struct account *a);
