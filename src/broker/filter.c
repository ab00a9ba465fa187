/* SPDX-License-Identifier: Apache-2.0 */
/* Taking subscriptions out of a match. What is left moves to the front, in the order it had, and
 * queue groups that are left without members go. */
#include "broker/filter.h"

#include "base/buf.h"
#include "broker/index.h"
#include "broker/peer.h"
#include "broker/rights.h"
#include "broker/sub.h"

/* What is denied is the subject that the client would see. */
static bool may_see(const struct sub *s, const struct rights *r, struct str subject)
{
    struct buf seen = {0};

    if (s->ops->subject_seen) {
        subject = s->ops->subject_seen(s, subject, &seen);
    }
    bool may = perms_may_deliver(r->perms, subject, sub_queue(s));
    buf_deinit(&seen);
    return may;
}

/* Whose rights are about to change may have lost them since the flag was read. */
bool filter_may_have(const struct sub *s, struct str subject)
{
    const struct rights *r = sub_flags(s) & SUB_FILTERED ? atomic_load(&s->rights) : NULL;

    return !r || may_see(s, r, subject);
}

/* Moves those of subs[from .. end-1] that may have it to `to`. @return the place after the last */
static uint32_t keep(struct match *m, struct str subject, uint32_t from, uint32_t end, uint32_t to)
{
    for (uint32_t i = from; i < end; i++) {
        struct sub *s = m->subs[i];

        if (filter_may_have(s, subject)) {
            m->subs[to++] = s;
        } else {
            sub_unref(s);
        }
    }
    return to;
}

static bool is_filtered(const struct match *m)
{
    for (uint32_t i = 0; i < m->n_subs; i++) {
        if (sub_flags(m->subs[i]) & SUB_FILTERED) {
            return true;
        }
    }
    return false;
}

struct match *filter_match(struct match *take_m, struct str subject)
{
    struct match *m = take_m;
    uint32_t n_groups = 0;

    if (!m || !is_filtered(m)) {
        return m;
    }
    uint32_t to = keep(m, subject, 0, m->n_plain, 0);
    m->n_plain = to;
    for (uint32_t i = 0; i < m->n_groups; i++) {
        struct match_group g = m->groups[i];
        uint32_t end = keep(m, subject, g.first, g.first + g.n, to);

        if (end > to) {
            m->groups[n_groups++] = (struct match_group){.first = to, .n = end - to};
        }
        to = end;
    }
    m->n_groups = n_groups;
    m->n_subs = to;
    if (to == 0) {
        match_free(m);
        return NULL;
    }
    return m;
}
