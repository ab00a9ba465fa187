/* SPDX-License-Identifier: Apache-2.0 */
/* Which connections does /connz tell of? Thread: control. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "conn/survey.h"
#include "monitor/connz_sort.h"
#include "monitor/doc.h"

struct monitor;

/** What may be asked for. */
struct connz_options {
    struct str sort, user, account, mqtt_client, filter_subject;
    bool auth;
    enum doc_detail subs;
    int64_t offset, limit;
    uint64_t cid;
    enum doc_state state;
};

struct connz_search {
    const struct monitor *monitor;
    const struct connz_options *options;
    struct connz_sorter sorter;
    /** The search is over. Thread: control. */
    void (*done)(struct connz_search *s);
    struct connz_entry *entries; // what was found, in no order
    size_t n_entries;
    uint64_t total;       // connections, filters or not (spec 07 §6)
    struct survey survey; // internal
    struct buf found;     // internal: the entries
};

/**
 * Look for connections; all but what was found and what is internal is set.
 * @param s  stays where it is until `done` is called, which may be before this returns
 */
void connz_search_start(struct connz_search *s);

/** Release what was found. */
void connz_search_deinit(struct connz_search *s);
