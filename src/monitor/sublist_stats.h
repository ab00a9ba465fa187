/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of subject indexes, as /subsz and the details of an account tell them. Thread:
 * control, for all. */
#pragma once

#include <stdint.h>

#include "broker/index.h"

struct account;
struct json;

/** Of one account, or several together. */
struct sublist_stats {
    struct index_stats index;
    uint64_t n_looked_up; // messages that a worker looked up receivers for
};

/** Add those of an account. */
void sublist_stats_add(struct sublist_stats *s, const struct account *a);

/** Write the members from "num_subscriptions" to "avg_fanout", into an object that is open. */
void sublist_stats_write(struct json *j, const struct sublist_stats *s);
