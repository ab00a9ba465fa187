/* SPDX-License-Identifier: Apache-2.0 */
/* Monitoring over HTTP (spec 07 §1): what its connections have in common. They are connections of
 * control's shard; whoever listens hands accepted sockets in. Thread: control, for all. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include "base/str.h"
#include "conn/conn.h"

struct http_conn;
struct http_site;
struct monitor;
struct tls_context;

struct http_server {
    struct monitor *monitor;
    const struct http_site *site;
    struct tls_context *tls; // NULL: not with TLS
    struct str base;         // path before all others, clean: "" or "/x"; owned
    struct conn_limits limits;
    unsigned n_large;                      // large answers of which a piece is being made
    unsigned n_begun;                      // that have begun, and are not complete
    struct http_conn *waiting, **last_end; // for theirs, in the order of their requests
};

/**
 * Prepare to serve; the monitor may not be ready yet.
 * @param site       what is served (monitor/pages.h)
 * @param base_path  as configured, "" for none
 */
void http_server_init(struct http_server *s, struct monitor *m, const struct http_site *site,
                      struct str base_path);

/** Speak TLS with those who come from now on. @param take_tls  one reference; NULL: without */
void http_server_secure(struct http_server *s, struct tls_context *take_tls);

/**
 * Serve a connection.
 * @param take_fd  owned by the server
 */
void http_server_accept(struct http_server *s, int take_fd, const struct sockaddr_storage *from);

/** Close all its connections, without waiting for those that do not read their answer. */
void http_server_stop(struct http_server *s);

/** Release it; no connection is left. */
void http_server_deinit(struct http_server *s);
