/* SPDX-License-Identifier: Apache-2.0 */
/* TLS of client connections: from the accept to the first byte of the protocol. */
#pragma once

#include <stdbool.h>

#include "base/status.h"

struct client;
struct client_options;
struct conn;

/** @return  whether the configuration lets nobody in without TLS. Thread: any. */
bool client_tls_is_required(const struct client_options *o);

/** Log how clients will be received. Thread: control. */
void client_tls_log_mode(const struct client_options *o);

/* Thread of the others: the client's worker. */

/** Begin; INFO goes out and client_begin is called when their time has come. */
void client_tls_start(struct client *c);

/** Go on once INFO has gone out in the clear. */
void client_tls_after_info(struct client *c);

/** The client's timer went off, while a step of TLS is awaited. */
void client_tls_on_timer(struct client *c);

/** The first byte is there, and not read yet. */
void client_tls_on_arrival(struct client *c, char first);

/** conn_ops.on_secured. */
void client_tls_on_secured(struct conn *conn, enum status st, const char *why_not);
