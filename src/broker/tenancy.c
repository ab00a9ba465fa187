/* SPDX-License-Identifier: Apache-2.0 */
/* The snapshot itself; auth/tenancy_make.c fills it. Strings and arrays lie in its arena,
 * transforms and mappings are freed one by one. */
#include "broker/tenancy.h"

#include <stdlib.h>

#include "base/mem.h"
#include "broker/mapping.h"

struct tenancy *tenancy_new(void)
{
    struct tenancy *t = mem_zalloc(sizeof(*t));

    atomic_init(&t->refs, 1);
    return t;
}

struct tenancy *tenancy_ref(struct tenancy *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

static void release_tenant(const struct tenant *t)
{
    for (size_t i = 0; i < t->n_imports; i++) {
        transform_pair_deinit((struct transform_pair *)(uintptr_t)&t->imports[i].transforms);
    }
    mappings_free((struct mappings *)(uintptr_t)t->mappings);
}

void tenancy_unref(struct tenancy *t)
{
    if (!t || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) > 1) {
        return;
    }
    for (size_t i = 0; i < t->n; i++) {
        release_tenant(&t->at[i]);
    }
    arena_deinit(&t->arena);
    mem_free(t);
}

static int compare_name(const void *name, const void *tenant)
{
    const struct tenant *t = tenant;

    return str_compare(*(const struct str *)name, t->name);
}

const struct tenant *tenancy_find(const struct tenancy *t, struct str name)
{
    return t->n ? bsearch(&name, t->at, t->n, sizeof(*t->at), compare_name) : NULL;
}

/* Whether both promise the same to whoever imports them. */
static bool have_equal_terms(const struct export *a, const struct export *b)
{
    return a->response == b->response && a->threshold_ns == b->threshold_ns &&
           a->latency.sampling == b->latency.sampling &&
           str_equal(a->latency.subject, b->latency.subject) && a->allow_trace == b->allow_trace;
}

bool import_equal(const struct import *a, const struct import *b)
{
    return a->is_service == b->is_service && a->share == b->share &&
           a->allow_trace == b->allow_trace && str_equal(a->from->name, b->from->name) &&
           str_equal(a->subject, b->subject) && str_equal(a->to, b->to) &&
           have_equal_terms(a->export, b->export);
}
