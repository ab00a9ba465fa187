/* SPDX-License-Identifier: Apache-2.0 */
/* Match without the cache, which knows only those who may have the message. */
#include "broker/trace_deliver.h"

#include "broker/account.h"
#include "broker/deliver.h"
#include "broker/filter.h"
#include "broker/index.h"
#include "broker/msg_origin.h"
#include "broker/peer.h"
#include "broker/trace.h"

static const char *find_refusal(const struct sub *s, struct str subject, uint64_t except)
{
    if (except != HANDLE_NONE && s->owner == except) {
        return "Not delivered because of no echo";
    }
    return filter_may_have(s, subject) ? NULL
                                       : "Not delivered because subscription denies this subject";
}

/* What handles messages is not asked to handle one that is only traced, unless it is to say where
 * the message goes. */
static size_t offer(struct delivery *d, struct account *a, struct msg *m, struct sub *s,
                    uint64_t except)
{
    struct trace *t = m->origin->trace;

    if (t->is_only && s->ops->handle && !s->ops->tells_traces) {
        return 1;
    }
    t->stage = (struct trace_stage){.account = a, .refusal = find_refusal(s, m->subject, except)};
    return s->ops->write_msg(d, m, &s, 1, true);
}

/* A random member, or the next one that takes the message. */
static size_t offer_group(struct delivery *d, struct account *a, struct msg *m,
                          const struct match *match, const struct match_group *g, uint64_t except)
{
    uint32_t first = deliver_random(d) % g->n;

    for (uint32_t tried = 0; tried < g->n; tried++) {
        if (offer(d, a, m, match->subs[g->first + (first + tried) % g->n], except)) {
            return 1;
        }
    }
    return 0;
}

size_t trace_deliver(struct delivery *d, struct account *a, struct msg *m, uint64_t except)
{
    struct match *match = index_match_all(a->index, d->cache.reader, m->subject);
    size_t n_taken = 0;

    for (uint32_t i = 0; match && i < match->n_plain; i++) {
        n_taken += offer(d, a, m, match->subs[i], except);
    }
    for (uint32_t i = 0; match && i < match->n_groups; i++) {
        n_taken += offer_group(d, a, m, match, &match->groups[i], except);
    }
    match_free(match);
    return n_taken;
}
