/* SPDX-License-Identifier: Apache-2.0 */
/* What monitoring tells of the configuration (spec 07 §5): values, filled by the server at its
 * start and by each reload, immutable in between. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct auth_options;

/** Strings are borrowed from the configuration, and live as long as the facts are in use. */
struct monitor_facts {
    struct str server_id, server_name, version;
    struct str build; // what stands for the toolchain
    struct str host;  // of the client listener, as configured
    int64_t port;     // that it is bound to
    bool auth_required, tls_required, tls_verify;
    int64_t max_connections, max_subscriptions, max_payload, max_pending, max_control_line;
    size_t max_closed_clients;
    int64_t ping_interval_ns, ping_max, write_deadline_ns;
    struct str write_timeout; // "close", "retry"; empty: not configured
    struct str http_host, http_base_path;
    int64_t http_port, https_port; // as configured; 0: none
    double auth_timeout_s, tls_timeout_s;
    struct str config_digest;
    int64_t config_load_ns;                   // since 1970
    struct str system_account;                // empty: there is none
    const struct auth_options *auth;          // the accounts as they are written
    struct str tags, metadata, feature_flags; // JSON; empty: none
    const struct str *trusted_proxies;        // their nkeys
    size_t n_trusted_proxies;
    int64_t tls_cert_not_after_ns; // since 1970; 0: no TLS
};
