/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as monitoring tells of it. */
#pragma once

#include "base/arena.h"
#include "monitor/facts.h"

struct server;

struct server_facts {
    struct monitor_facts facts;
    struct arena arena; // of what is not part of the configuration itself
};

/** Take the facts from the configuration that is in force, and give them to the monitor. Thread:
 * control. */
void server_facts_update(struct server *s);

/** Release them. Thread: control. */
void server_facts_deinit(struct server_facts *f);
