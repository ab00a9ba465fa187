/* SPDX-License-Identifier: Apache-2.0 */
/* The server: everything that runs, put together. Its functions run on the control thread, which is
 * the main thread with a worker of its own that has no clients. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/nkey.h"
#include "base/status.h"
#include "broker/accounts.h"
#include "broker/server_block.h"
#include "client/client.h"
#include "conn/shard.h"
#include "io/listener.h"
#include "io/worker.h"
#include "monitor/monitor.h"
#include "server/activation.h"
#include "server/auto_reload.h"
#include "server/lame_duck.h"
#include "server/monitoring.h"
#include "server/notify.h"
#include "server/reclaim.h"
#include "server/reload.h"
#include "server/server_config.h"
#include "server/server_facts.h"
#include "server/signals.h"
#include "system/system.h"

/** The number of a worker has 8 bits in a handle. */
#define SERVER_MAX_WORKERS 255u

struct cli;
struct tls_context;

struct server {
    struct server_config *config; // owned; a reload replaces it
    const struct cli *cli;        // what it sets wins over the file, in a reload too
    struct worker *control;
    struct worker **workers; // [0]: control, [1 .. n_workers]
    unsigned n_workers;
    struct shard **shards;     // as workers; [0]: NULL
    struct client_home *homes; // of their clients; as shards
    struct chunk_depot depot;
    struct accounts accounts;
    struct server_block block; // what events say of us; its head is
    struct str *head;          // owned
    struct monitor monitor;
    struct server_facts facts;
    struct system system;
    struct client_shared clients;
    struct nkey_server key; // who we are
    char *advertised_host;
    struct activation activation;
    struct listener client_listener;
    struct listener unix_listener;          // fd -1: none
    struct http_port monitoring, profiling; // without a listener: fd -1
    struct notify notify;
    struct signals signals;
    struct lame_duck lame_duck;
    struct reclaim reclaim;
    struct reload reload;
    struct auto_reload auto_reload;
    char *ports_path;    // ports file written, or NULL
    unsigned n_draining; // workers that still have connections, in a shutdown
    unsigned n_started;  // workers whose threads run
    bool is_accepting;
    bool has_pid_file;
    bool is_shutting_down;
};

/**
 * Start everything, in the order that spec 02 §1 lists, and log it.
 * @param take_config  owned by the server from now on, whatever the result
 * @param cli          borrowed as long as the server runs
 * @return             ST_OK: the server is ready; otherwise what went wrong was logged, and
 *                     server_deinit cleans up
 */
MUST_USE enum status server_start(struct server *s, struct server_config *take_config,
                                  const struct cli *cli);

/** Make what clients need for TLS. @param out  one reference; NULL: no TLS is configured. */
MUST_USE enum status server_make_tls(const struct server_config *config, struct tls_context **out,
                                     struct diag *d);

/** Write the ports file, if the configuration asks for one; its path is kept. */
void server_write_ports_file(struct server *s);

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
