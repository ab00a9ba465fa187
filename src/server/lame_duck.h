/* SPDX-License-Identifier: Apache-2.0 */
/* Lame duck mode: the server leaves slowly, so that its clients do not all reconnect at once (spec
 * 02 §10): it tells them, waits a grace period, closes them one by one, then shuts down. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/timer.h"

struct server;

struct lame_duck {
    struct server *server; // NULL: not in this mode
    struct timer timer;    // end of the grace period, then the next close
    uint64_t *clients;     // handles of those that were there when it began
    size_t n_clients, next;
    unsigned n_awaited;  // workers that have not named their clients yet, and the end of grace
    int64_t interval_ns; // most time between two closes
};

/** Enter the mode; nothing happens if it is on, or the server shuts down.
 * Thread: control (as all). */
void lame_duck_enter(struct server *s);

/** @return  whether the mode is on. */
static inline bool lame_duck_is_on(const struct lame_duck *d)
{
    return d->server != NULL;
}

/** Do nothing more: a shutdown takes over. */
void lame_duck_stop(struct lame_duck *d);

/** Release the memory. */
void lame_duck_deinit(struct lame_duck *d);
