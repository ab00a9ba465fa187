/* SPDX-License-Identifier: Apache-2.0 */
/* The list of /subsz. Thread: control. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct account;
struct query;

/** What is to be listed. */
struct subsz_scope {
    struct account **accounts; // n_accounts of them
    size_t n_accounts;
    bool is_all;     // these are all accounts
    struct str test; // only what this literal subject reaches; empty: everything
    uint64_t offset, limit;
};

/**
 * Write the members "subscriptions_list", unless the page is empty, and "total"; end the document
 * and finish the query.
 * @param q      has no state of its own
 * @param scope  lives as long as the query, with all that it points to
 */
void subsz_list_start(struct query *q, const struct subsz_scope *scope);
