/* SPDX-License-Identifier: Apache-2.0 */
/* An account: a subject space of its own. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct index;

struct account {
    char *name; // "$G" for the global account
    struct index *index;
    _Atomic uint32_t n_clients;
};

/**
 * Create an account for `n_readers` workers (the highest worker number + 1).
 * Thread: control.
 */
struct account *account_new(const char *name, unsigned n_readers);

/** Free an account that nobody refers to any more; NULL is allowed. Thread: control. */
void account_free(struct account *a);
