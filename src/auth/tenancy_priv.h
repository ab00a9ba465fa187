/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that make a tenancy share. */
#pragma once

#include <stdbool.h>

#include "auth/auth_options.h"
#include "base/diag.h"
#include "base/status.h"
#include "base/str.h"

struct export;
struct import;
struct tenancy;
struct tenant;

#define INVALID_SUBJECT "sublist: invalid subject"

/** A tenancy while it is made. */
struct tenancy_maker {
    const struct auth_options *o;
    struct str cluster; // that the server is in
    const struct diag_place *at;
    struct diag *d;
    struct tenancy *t;
    bool *is_configured; // of each tenant: an account of the configuration; others can not be named
    enum status st;      // ST_FAILED: something was reported
};

/* Thread, for all functions: the one that calls tenancy_make. */

/** Report `Error adding WHAT "SUBJECT": why`. */
void tenancy_refuse(struct tenancy_maker *m, const char *what, struct str subject, struct str why);

/** Report that an account is not configured, which an export or import names. */
void tenancy_refuse_account(struct tenancy_maker *m, const char *name, const char *what);

/** @return  whether there is a system account: whoever names one has one */
bool tenancy_wants_system(const struct tenancy_maker *m);

/** @return  the tenant of that name, to be filled; NULL: there is none, or it is not configured */
struct tenant *tenancy_find_configured(const struct tenancy_maker *m, struct str name);

/** Add the exports of an account to a tenant, which has room for them. */
void tenancy_add_exports(struct tenancy_maker *m, struct tenant *t, const struct export_list *l);

/** Add the imports of an account, once all exports are there. */
void tenancy_add_imports(struct tenancy_maker *m, struct tenant *t, const struct import_list *l);

/** @return  the export of just that subject; NULL: there is none */
const struct export *tenancy_find_export(const struct tenant *t, bool is_service,
                                         struct str subject);

/** @return  the token of a subject at a position from 1; empty: there is none */
struct str tenancy_token_at(struct str subject, int64_t position);

/** @return  an import of a tenant that takes the same from the same account: a stream by its
 * subject there, a service by its local one. NULL: there is none */
const struct import *tenancy_find_twin(const struct tenant *t, const struct import *i);
