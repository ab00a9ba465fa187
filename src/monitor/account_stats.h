/* SPDX-License-Identifier: Apache-2.0 */
/* What /accstatz, the request STATZ and the event CONNS say of an account (spec 06 §5.3). Thread:
 * control, for all. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct account;
struct json;

/** @return  whether the account has no connections here: lists leave it out. */
bool account_stats_is_idle(const struct account *a);

/**
 * Write the members from "acc" to "slow_consumers", into an object that is open. "sent" is what the
 * server has sent.
 * @param n_clients  that it has now, or had at the moment that is told of
 */
void account_stats_write(struct json *j, const struct account *a, int64_t n_clients);
