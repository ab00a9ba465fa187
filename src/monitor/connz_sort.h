/* SPDX-License-Identifier: Apache-2.0 */
/* The order of connections in /connz (spec 07 §6). Thread: any, for all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "conn/close_reason.h"

struct conn_report;

enum connz_sort {
    CONNZ_SORT_CID,
    CONNZ_SORT_START,
    CONNZ_SORT_SUBS,
    CONNZ_SORT_PENDING,
    CONNZ_SORT_MSGS_TO,
    CONNZ_SORT_MSGS_FROM,
    CONNZ_SORT_BYTES_TO,
    CONNZ_SORT_BYTES_FROM,
    CONNZ_SORT_LAST,
    CONNZ_SORT_IDLE,
    CONNZ_SORT_UPTIME,
    CONNZ_SORT_RTT,
    CONNZ_SORT_STOP,   // of closed connections
    CONNZ_SORT_REASON, // likewise
};

/** @return  whether there is such an option; the empty name is that of the usual order.
 * @param out  set then */
bool connz_sort_find(struct str name, enum connz_sort *out);

/** Whatever one has to know to tell which connection comes first. */
struct connz_sorter {
    enum connz_sort by;
    int64_t now_ns;                    // since 1970
    uint8_t ranks[CLOSE_REASON_COUNT]; // of reasons, by their texts
};

/** Prepare. */
void connz_sorter_init(struct connz_sorter *s, enum connz_sort by, int64_t now_ns);

/** What is remembered of a connection until it is written. */
struct connz_entry {
    int64_t key;  // the smaller comes first
    uint64_t cid; // where keys are equal
    uint64_t ref; // its handle; if it is closed its number in the ring (monitor/closed_ring.h)
    bool is_closed;
};

/** @return  the key of a connection */
int64_t connz_sort_key(const struct connz_sorter *s, const struct conn_report *r);

/** Bring those to [from .. to) that would be there if all were sorted, in their order; the others
 * are in none. It costs little more than looking at each once. */
void connz_sort_page(struct connz_entry *entries, size_t n, size_t from, size_t to);
