/* SPDX-License-Identifier: Apache-2.0 */
/* A connection as /connz shows it (spec 07 §6). Thread: any, for all. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/str.h"
#include "monitor/doc.h"

struct conn_report;
struct conn_report_sub;

/** How much is told. */
struct connz_style {
    bool with_auth;
    enum doc_detail subs;
    int64_t now_ns; // since 1970
};

/** Write a connection, without the end: its list of subscriptions may follow. */
void connz_entry_open(struct json *j, const struct conn_report *r, const struct connz_style *s);

/** Begin the list. */
void connz_entry_open_list(struct json *j, const struct connz_style *s);

/** Write those subscriptions of the list that a report has. */
void connz_entry_write_subs(struct json *j, const struct conn_report *r,
                            const struct connz_style *s);

/** Write one subscription in detail. @param account  empty: not told */
void connz_entry_write_sub(struct json *j, const struct conn_report_sub *sub, uint64_t cid,
                           struct str account);
