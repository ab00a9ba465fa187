/* SPDX-License-Identifier: Apache-2.0 */
/* Where monitoring over HTTP listens (spec 07 §1), and profiling, on a port of its own. Thread:
 * control, for all. */
#pragma once

#include "base/attr.h"
#include "base/diag.h"
#include "base/status.h"
#include "io/listener.h"
#include "monitor/http_server.h"
#include "server/ports_file.h"

struct server;
struct server_config;
struct server_options;
struct tls_context;

struct http_port {
    struct listener listener; // fd -1: there is none
    struct http_server http;
};

/** @return  the host that monitoring is for, if there is any. */
const char *monitoring_host(const struct server_options *o);

/** Listen where the options say, if they do, and log it; who connects is served as soon as control
 * runs. Errors are logged. */
MUST_USE enum status monitoring_open(struct server *s);

/** Make what HTTPS needs. @param out  one reference; NULL: there is no HTTPS. */
MUST_USE enum status monitoring_make_tls(const struct server_config *config,
                                         struct tls_context **out, struct diag *d);

/** @return  what the ports file says of it. */
struct ports_file_entry monitoring_ports_entry(const struct server *s);

/** The same for profiling, which has no TLS. */
MUST_USE enum status profiling_open(struct server *s);

/** @return  what the ports file says of profiling. */
struct ports_file_entry profiling_ports_entry(const struct server *s);

/** Close both listeners and all connections. */
void monitoring_stop(struct server *s);
