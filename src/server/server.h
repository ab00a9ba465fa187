/* SPDX-License-Identifier: Apache-2.0 */
/* The server: everything that runs, put together. Its functions run on the control thread, which is
 * the main thread with a worker of its own that has no clients. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/nkey.h"
#include "base/status.h"
#include "client/client.h"
#include "client/client_options.h"
#include "conn/shard.h"
#include "io/listener.h"
#include "io/worker.h"
#include "server/lame_duck.h"
#include "server/reclaim.h"
#include "server/server_options.h"
#include "server/signals.h"

/** The number of a worker has 8 bits in a handle. */
#define SERVER_MAX_WORKERS 255u

/** What the command line and the configuration ask for. */
struct server_config {
    struct server_options server;
    struct client_options client;
    const char *program; // basename of argv[0]: prefix of messages, tag for syslog, name of files
};

struct server {
    const struct server_config *config;
    struct worker *control;
    struct worker **workers; // [0]: control, [1 .. n_workers]
    unsigned n_workers;
    struct shard **shards;        // as workers; [0]: NULL
    struct delivery **deliveries; // as shards
    struct chunk_depot depot;
    struct account *global;
    struct client_shared clients;
    struct nkey_server key; // who we are
    char *advertised_host;
    struct listener client_listener;
    struct signals signals;
    struct lame_duck lame_duck;
    struct reclaim reclaim;
    char *ports_path;    // ports file written, or NULL
    unsigned n_draining; // workers that still have connections, in a shutdown
    unsigned n_started;  // workers whose threads run
    bool is_accepting;
    bool has_pid_file;
    bool is_shutting_down;
};

/**
 * Start everything, in the order that spec 02 §1 lists, and log it.
 * @return  ST_OK: the server is ready; otherwise what went wrong was logged, and server_deinit
 *          cleans up
 */
MUST_USE enum status server_start(struct server *s, const struct server_config *config);

/** Serve until a shutdown is complete. */
void server_run(struct server *s);

/**
 * Stop gracefully: no new connections, queued output is sent, connections close, then server_run
 * returns. Only the first call acts.
 */
void server_shutdown(struct server *s);

/** Release everything. After server_run returned, or server_start failed. */
void server_deinit(struct server *s);

/** Run fn(shard, arg) on every worker; `arg` must outlive that. */
void server_post_all(struct server *s, void (*fn)(struct shard *sh, void *arg), void *arg);
