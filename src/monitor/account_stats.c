/* SPDX-License-Identifier: Apache-2.0 */
/* Sums that accounts keep themselves; nobody is asked. */
#include "monitor/account_stats.h"

#include "base/attr.h"
#include "base/json.h"
#include "broker/account.h"
#include "broker/index.h"
#include "conn/tally.h"
#include "monitor/data_stats.h"

bool account_stats_is_idle(const struct account *a)
{
    return atomic_load(&a->n_clients) == 0;
}

/* Between servers nothing goes yet. */
static void write_direction(struct json *j, const char *key, uint64_t n_msgs, uint64_t n_bytes)
{
    static const char *const servers[] = {"gateways", "routes", "leafs"};

    json_key(j, key);
    json_open_object(j);
    json_add_uint(j, "msgs", n_msgs);
    json_add_uint(j, "bytes", n_bytes);
    for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
        data_stats_write(j, servers[i], 0, 0);
    }
    json_close_object(j);
}

void account_stats_write(struct json *j, const struct account *a, int64_t n_clients)
{
    struct traffic t = account_traffic(a);

    json_add_str(j, "acc", str_of(a->name));
    json_add_str(j, "name", str_of(a->name));
    json_add_int(j, "conns", n_clients);
    json_add_int(j, "leafnodes", 0);
    json_add_int(j, "total_conns", n_clients);
    json_add_uint(j, "num_subscriptions", index_count(a->index));
    write_direction(j, "sent", t.out_msgs, t.out_bytes);
    write_direction(j, "received", t.in_msgs, t.in_bytes);
    json_add_uint(j, "slow_consumers", atomic_load(&a->n_slow));
}
