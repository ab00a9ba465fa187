/* SPDX-License-Identifier: Apache-2.0 */
/* Which servers a request is for (spec 06 §6.3). */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

struct monitor_facts;

/**
 * Read the members of a request that say which servers it is for; others are passed over.
 * @param text      a JSON object; empty: all servers
 * @param is_meant  out: whether this server is one of them
 * @param why       gets what is wrong with the text, for people
 * @return          whether nothing is
 * Thread: control.
 */
MUST_USE bool filter_read(struct str text, const struct monitor_facts *f, bool *is_meant,
                          struct buf *why);
