/* SPDX-License-Identifier: Apache-2.0 */
/* Options that say who may come in, and as whom: authorization, accounts, no_auth_user (spec 03 C6,
 * C7; spec 04 §5). As configured; auth/login.h makes it ready to be asked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/export_options.h"
#include "auth/import_options.h"
#include "auth/mapping_options.h"
#include "auth/trace_options.h"
#include "base/attr.h"
#include "base/diag.h"
#include "base/status.h"
#include "conf/option.h"

struct perms;

/** Ways to connect, as bits of allowed_connection_types. */
enum connection_type {
    CONNECTION_STANDARD = 1 << 0,
    CONNECTION_WEBSOCKET = 1 << 1,
    CONNECTION_LEAFNODE = 1 << 2,
    CONNECTION_LEAFNODE_WS = 1 << 3,
    CONNECTION_MQTT = 1 << 4,
    CONNECTION_MQTT_WS = 1 << 5,
    CONNECTION_IN_PROCESS = 1 << 6,
};

/** One entry of a users array. */
struct user_options {
    const char *name;
    const char *password;
    const char *nkey;
    struct perms *perms;       // a reference; NULL: none of its own
    uint32_t connection_types; // bits of enum connection_type; 0: any
    bool proxy_required;
};

struct user_list {
    struct user_options *at;
    size_t n;
    bool is_set; // the array is there, though it may be empty
};

/** One account. The numbers are -1 where there is no limit. */
struct account_options {
    const char *name;
    const char *nkey;
    struct user_list users;
    struct perms *default_perms;
    int64_t max_connections, max_subscriptions, max_payload, max_leafnodes;
    struct export_list exports;
    struct import_list imports;
    struct mapping_list mappings;
    struct trace_options trace;
    const char *later; // something it asks for that does not exist yet; NULL: nothing
};

struct account_list {
    struct account_options *at;
    size_t n;
};

struct auth_options {
    bool has_block; // there is an authorization block, though it may be empty
    const char *user, *password, *token;
    int64_t timeout_ns; // 0: not set
    struct user_list users;
    struct perms *default_perms;
    bool proxy_required; // of user or token
    struct account_list accounts;
    const char *no_auth_user;
    const char *system_account;
    bool no_system_account;
    struct mapping_list mappings;        // of $G
    struct option_list trusted_proxies;  // nkeys
    struct option_list callout_accounts; // auth_callout.allowed_accounts
    const char *later;                   // as in struct account_options
};

/** @return  the rows of these options over o. Thread: control. */
struct option_table auth_options_table(struct auth_options *o);

/**
 * Check what single rows cannot and `-t` does not: names that must exist.
 * @return  ST_FAILED: the reasons are in d
 * Thread: control.
 */
MUST_USE enum status auth_options_check(const struct auth_options *o, struct diag *d);

/**
 * @param is_mapping  clients are named by their certificates: users without a password may be meant
 *                    for that
 * @return  whether a password is configured in plain text, which deserves a warning at start
 * Thread: any.
 */
bool auth_options_have_plain_password(const struct auth_options *o, bool is_mapping);
