/* SPDX-License-Identifier: Apache-2.0 */
/* What can be done to a connection that is known by its id (spec 06 §6.6). Thread: control, for
 * all. */
#pragma once

#include <stdint.h>

struct monitor;

enum conn_action_result {
    CONN_ACTION_DONE,
    CONN_ACTION_NOBODY,  // there is no such connection
    CONN_ACTION_REFUSED, // it cannot be done to it, or not yet
};

/** What follows; later, and always. Thread: control. */
typedef void (*conn_action_fn)(void *arg, enum conn_action_result result);

/** Close a connection of any kind. */
void conn_action_kick(struct monitor *m, uint64_t cid, conn_action_fn done, void *arg);

/** Tell one client that the server is about to leave (lame duck mode), whether it is or not. */
void conn_action_announce_lame_duck(struct monitor *m, uint64_t cid, conn_action_fn done,
                                    void *arg);
