/* SPDX-License-Identifier: Apache-2.0 */
/* Written where they are wanted. */
#include "monitor/data_stats.h"

#include "base/json.h"

void data_stats_write(struct json *j, const char *key, uint64_t n_msgs, uint64_t n_bytes)
{
    json_key(j, key);
    json_open_object(j);
    json_add_uint(j, "msgs", n_msgs);
    json_add_uint(j, "bytes", n_bytes);
    json_close_object(j);
}

void data_stats_write_kinds(struct json *j, const char *key, uint64_t n_clients)
{
    json_key(j, key);
    json_open_object(j);
    json_add_uint(j, "clients", n_clients);
    json_add_uint(j, "routes", 0);
    json_add_uint(j, "gateways", 0);
    json_add_uint(j, "leafs", 0);
    json_close_object(j);
}
