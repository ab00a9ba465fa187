/* SPDX-License-Identifier: Apache-2.0 */
/* Options of the server as a whole: where it listens, who it is, its files, its log, its
 * shutdown. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/log.h"
#include "base/status.h"
#include "conf/listen.h"
#include "conf/option.h"
#include "server/option_types.h"

/** Options of monitoring and profiling over HTTP. */
struct monitor_options {
    struct listen_address http;
    struct listen_address https;
    const char *base_path; // as configured: "" or "/x"
    int64_t prof_port;     // 0: none; -1: any free one
    int64_t prof_block_rate;
};

struct server_options {
    const char *host;                  // to listen on; "0.0.0.0" is every address, IPv6 included
    int64_t port;                      // -1: any free one
    const char *unix_socket;           // path of one to listen on, too; "": none
    const char *unix_socket_mode;      // permissions of that path, in octal
    const char *server_name;           // "": the server id
    const char *client_advertise;      // "host[:port]" for INFO instead of the listener's; "": none
    const char *pid_file;              // "": none
    const char *ports_file_dir;        // "": none
    bool auto_reload;                  // when the configuration file or a certificate changes
    int64_t io_threads;                // workers; 0: one per core
    int64_t lame_duck_duration_ns;     // [ns] over which clients are closed, grace period included
    int64_t lame_duck_grace_period_ns; // [ns] from the announcement to the first close
    struct log_options log;
    int64_t connect_error_reports;   // every n-th first connect that fails is logged
    int64_t reconnect_error_reports; // the same for reconnects
    struct option_list server_tags;
    struct metadata server_metadata;
    struct feature_flags feature_flags;
    struct monitor_options monitor;
};

/** @return  the rows of these options over o. Thread: control. */
struct option_table server_options_table(struct server_options *o);

/** @return  the permissions of the Unix socket. Thread: any. */
unsigned server_options_unix_mode(const struct server_options *o);

/** Make what follows from other options so: after a file was read. Thread: control. */
void server_options_settle(struct server_options *o);

/**
 * Check what single rows cannot: values that must fit each other.
 * @return  ST_FAILED: the reasons are in d
 * Thread: control.
 */
MUST_USE enum status server_options_check(const struct server_options *o, struct diag *d);
