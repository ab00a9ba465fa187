/* SPDX-License-Identifier: Apache-2.0 */
/* Listening for clients, and handing them to workers. */
#pragma once

#include "base/attr.h"
#include "base/status.h"

struct server;

/**
 * Bind and listen where the options say, and log it; nothing is accepted yet.
 * Errors are logged. Thread: control, before the workers run.
 */
MUST_USE enum status acceptor_open(struct server *s);

/** Accept from now on. Thread: control, before the workers run. */
void acceptor_start(struct server *s);

/** Close the socket: new connections are refused. Thread: control. */
void acceptor_stop(struct server *s);
