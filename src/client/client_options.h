/* SPDX-License-Identifier: Apache-2.0 */
/* Options of client connections: limits and timers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/status.h"
#include "conf/option.h"
#include "io/tls_options.h"

/** What to do with a client whose socket took nothing for a write_deadline. */
enum client_write_timeout {
    CLIENT_WRITE_TIMEOUT_DEFAULT, // close, for clients
    CLIENT_WRITE_TIMEOUT_CLOSE,
    CLIENT_WRITE_TIMEOUT_RETRY,
};

struct client_options {
    int64_t max_connections;    // 0 or less refuses every client, after INFO
    int64_t max_subscriptions;  // of one connection; 0 or less: unlimited
    int64_t max_sub_tokens;     // in the subject of a SUB, 1…255; 0: unlimited
    int64_t max_control_line;   // [bytes] of arguments
    int64_t max_payload;        // [bytes] headers included; less than 0: unlimited
    int64_t max_pending;        // [bytes] queued for one connection
    int64_t max_closed_clients; // remembered for monitoring
    int64_t write_deadline_ns;
    enum client_write_timeout write_timeout;
    int64_t ping_interval_ns;
    int64_t ping_max; // unanswered pings until a connection is stale
    bool no_header_support;
    bool no_fast_producer_stall;
    bool disable_sublist_cache;
    struct tls_options tls;
    bool proxy_protocol; // a PROXY header may come first
    bool allow_non_tls;  // clients may come without TLS all the same
};

/** @return  the rows of these options over o. Thread: control. */
struct option_table client_options_table(struct client_options *o);

/**
 * Check what single rows cannot: values that must fit each other.
 * @return  ST_FAILED: the reasons are in d
 * Thread: control.
 */
MUST_USE enum status client_options_check(const struct client_options *o, struct diag *d);

/**
 * Log what an operator should think about again: huge payloads. After the banner.
 * Thread: control.
 */
void client_options_log_warnings(const struct client_options *o);
