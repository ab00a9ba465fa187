/* SPDX-License-Identifier: Apache-2.0 */
/* Who has clients, as the events CONNS tell (spec 06 §5.3). The counts are those of the moment that
 * an event is about, not those that workers have come to meanwhile. Thread: control, for all. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "io/timer.h"

struct account;
struct system;

struct account_watch {
    struct account *account;
    struct system *system;
    int64_t n_clients;
    struct timer heartbeat; // while there are any
};

/** One more client, or one less, of an account that is watched from now on; the event tells. */
void account_watch_count(struct system *s, struct account *a, int64_t difference);

/** Append what there is to tell of an account, as an event of its own. */
void account_watch_write(struct system *s, const struct account *a, int64_t n_clients,
                         struct buf *out);

/** Forget all. After the workers ended. */
void account_watch_deinit(struct system *s);
