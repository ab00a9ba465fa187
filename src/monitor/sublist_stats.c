/* SPDX-License-Identifier: Apache-2.0 */
/* Workers cache what subjects reach, each for itself (broker/match.h), and ask an index for what
 * they do not know: so every message was looked up, and those that asked were misses. */
#include "monitor/sublist_stats.h"

#include "base/json.h"
#include "broker/account.h"
#include "conn/tally.h"

void sublist_stats_add(struct sublist_stats *s, const struct account *a)
{
    index_stats(a->index, &s->index);
    s->n_looked_up += account_traffic(a).in_msgs;
}

void sublist_stats_write(struct json *j, const struct sublist_stats *s)
{
    const struct index_stats *x = &s->index;
    uint64_t n_lookups = s->n_looked_up > x->n_matches ? s->n_looked_up : x->n_matches;
    uint64_t n_hits = n_lookups - x->n_matches;

    json_add_uint(j, "num_subscriptions", x->n_subs);
    json_add_uint(j, "num_cache", 0); // they are not those of one index
    json_add_uint(j, "num_inserts", x->n_subs + x->n_removed);
    json_add_uint(j, "num_removes", x->n_removed);
    json_add_uint(j, "num_matches", n_lookups);
    json_add_real(j, "cache_hit_rate", n_lookups ? (double)n_hits / (double)n_lookups : 0);
    json_add_uint(j, "max_fanout", x->max_found);
    json_add_real(j, "avg_fanout", x->n_matches ? (double)x->n_found / (double)x->n_matches : 0);
}
