/* SPDX-License-Identifier: Apache-2.0 */
/* Where options were set. The list is in the order of setting; the last entry of an option counts.
 */
#include "conf/origin.h"

#include "base/mem.h"
#include "base/str.h"

/* The name of a file in the arena; those of neighbours are mostly the same. */
static const char *keep_file(struct origins *o, const char *file)
{
    const char *last = o->n ? o->list[o->n - 1].at.file : NULL;

    if (last && str_equal(str_of(last), str_of(file))) {
        return last;
    }
    return arena_str(&o->arena, str_of(file)).p;
}

void origins_add(struct origins *o, const struct option_slot *slot, const struct diag_place *at)
{
    struct origin added = {.slot = *slot};

    if (at && at->file) {
        added.at = *at;
        added.at.file = keep_file(o, at->file);
    }
    o->list = mem_realloc(o->list, (o->n + 1) * sizeof(*o->list));
    o->list[o->n++] = added;
}

const struct origin *origins_find(const struct origins *o, const struct option_slot *slot)
{
    for (size_t i = o->n; i-- > 0;) {
        if (o->list[i].slot.row == slot->row && o->list[i].slot.base == slot->base) {
            return &o->list[i];
        }
    }
    return NULL;
}

void origins_deinit(struct origins *o)
{
    arena_deinit(&o->arena);
    mem_free(o->list);
    *o = (struct origins){0};
}
