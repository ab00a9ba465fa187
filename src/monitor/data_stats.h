/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of counters that events and documents have in common (spec 06 §4, spec 07 §5). Thread:
 * the owner of the writer, for all. */
#pragma once

#include <stdint.h>

struct json;

/** Write a member with messages and bytes: {"msgs", "bytes"}. */
void data_stats_write(struct json *j, const char *key, uint64_t n_msgs, uint64_t n_bytes);

/** Write a member with counters of each kind of connection; there are but clients yet. */
void data_stats_write_kinds(struct json *j, const char *key, uint64_t n_clients);
