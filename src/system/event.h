/* SPDX-License-Identifier: Apache-2.0 */
/* What the server tells of by itself (spec 06 §5). Thread: control, for all. */
#pragma once

#include <stdint.h>

#include "base/json.h"
#include "base/nuid.h"
#include "conn/conn_report.h"

struct system;

#define EVENT_CONNECT "io.nats.server.advisory.v1.client_connect"
#define EVENT_DISCONNECT "io.nats.server.advisory.v1.client_disconnect"
#define EVENT_CONNS "io.nats.server.advisory.v1.account_connections"

/** Which event, and when; the same for all subjects that it goes to. */
struct event_stamp {
    const char *type;
    char id[NUID_CHARS];
    int64_t when_ns; // since 1970
};

/** @return  the stamp of a new event. @param when_ns  0: now */
struct event_stamp event_new(struct system *s, const char *type, int64_t when_ns);

/** Open an object and write the members from "type" to "server". */
void event_open(struct system *s, const struct event_stamp *e, struct json *j);

/** Tell of a connection: monitor.on_conn_event. @param arg  the struct system */
void event_on_conn(void *arg, enum conn_event event, const struct conn_report *r);

/** Publish an event that is nothing but the server's block: what is about to become of it.
 * @param what  "SHUTDOWN" */
void event_announce(struct system *s, const char *what);
