/* SPDX-License-Identifier: Apache-2.0 */
/* A counted pair. */
#include "broker/rights.h"

#include "base/mem.h"

struct rights *rights_new(struct perms *perms)
{
    struct rights *r = mem_zalloc(sizeof(*r));

    atomic_init(&r->refs, 1);
    r->perms = perms_ref(perms);
    r->grants = perms_allows_responses(perms) ? grants_new(perms) : NULL;
    return r;
}

struct rights *rights_ref(struct rights *r)
{
    atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    return r;
}

void rights_unref(struct rights *r)
{
    if (r && atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) == 1) {
        grants_free(r->grants);
        perms_unref(r->perms);
        mem_free(r);
    }
}
