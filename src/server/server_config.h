/* SPDX-License-Identifier: Apache-2.0 */
/* All that the configuration and the command line say, and how it is read: defaults, then the file,
 * then the command line. */
#pragma once

#include "auth/auth_options.h"
#include "base/attr.h"
#include "base/diag.h"
#include "base/status.h"
#include "client/client_options.h"
#include "conf/option.h"
#include "conf/origin.h"
#include "conf/parse.h"
#include "server/later_options.h"
#include "server/server_options.h"

#define SERVER_CONFIG_N_TABLES 4

struct cli;
struct tenancy;

/** What the command line and the configuration ask for. Its options must not move once they are
 * set. */
struct server_config {
    struct server_options server;
    struct client_options client;
    struct auth_options auth;
    struct later_options later;
    const char *program; // basename of argv[0]: prefix of messages, tag for syslog, name of files
    const char *path;    // of the configuration file, as given; NULL: none
    char digest[CONF_DIGEST_MAX]; // of what the file says; "": none
    struct origins origins;       // of the options that are not defaults
    struct tenancy *tenancy;      // a reference: made of `auth` by server_config_check
};

/**
 * The rows of all options over c.
 * @param out  SERVER_CONFIG_N_TABLES + 1
 * Thread: control (as for all here).
 */
void server_config_tables(struct server_config *c, struct option_table *out);

/** Give all options their defaults. @param program  borrowed as long as c lives */
void server_config_init(struct server_config *c, const char *program);

/** Release what the options hold. */
void server_config_deinit(struct server_config *c);

/** Release c, which was allocated, and all that it holds; NULL is allowed. */
void server_config_free(struct server_config *c);

/**
 * Read a configuration file over what is set.
 * @param path  borrowed as long as c lives
 * @return      ST_FAILED: the reasons are in d, together with the warnings
 */
MUST_USE enum status server_config_read(struct server_config *c, const char *path, struct diag *d);

/**
 * Make a configuration from its defaults, a file, and what the command line sets over it.
 * @param path  borrowed as long as c lives
 * @return      ST_FAILED: the reasons are in d; c is to be released all the same
 */
MUST_USE enum status server_config_load(struct server_config *c, const struct cli *cli,
                                        const char *path, struct diag *d);

/**
 * Check what `-t` does not: values that must fit each other, capabilities that are not there. Then
 * make the tenancy of all that is set.
 * @return  ST_FAILED: the reasons are in d
 */
MUST_USE enum status server_config_check(struct server_config *c, struct diag *d);

/** Log what the configuration says about itself. After the banner. */
void server_config_log(const struct server_config *c);
