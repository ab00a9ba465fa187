/* SPDX-License-Identifier: Apache-2.0 */
/* From accounts as configured to what they offer each other and take of it. */
#pragma once

#include "auth/auth_options.h"
#include "base/attr.h"
#include "base/diag.h"
#include "base/status.h"

struct tenancy;

/**
 * Make the snapshot of all accounts, "$G" and the system account among them: exports and imports
 * are resolved, and checked as a whole (spec 05 §7, §8, §12); the system account's own services are
 * added (§13).
 * @param cluster  name of the cluster that the server is in; empty: none
 * @param at   where the accounts are configured, for messages; may be NULL
 * @param out  one reference, the caller's
 * @return     ST_FAILED: the reasons are in d
 * Thread: any.
 */
MUST_USE enum status tenancy_make(const struct auth_options *o, struct str cluster,
                                  const struct diag_place *at, struct diag *d,
                                  struct tenancy **out);
