/* SPDX-License-Identifier: Apache-2.0 */
/* The log's way to syslog: the local daemon, or one that is reached by URL. Inside base/log.c
 * only. */
#pragma once

#include "base/attr.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/status.h"
#include "base/str.h"

struct log_syslog;

/**
 * Connect to the daemon of this machine (/dev/log and its other usual places), facility daemon.
 * @param tag  program name on each message; copied
 * @param out  owned by the caller: log_syslog_close
 * Thread: control.  Blocks: no.
 */
MUST_USE enum status log_syslog_open_local(const char *tag, struct log_syslog **out,
                                           struct diag *d);

/**
 * Connect to "udp://host:port", "tcp://host:port" or "unix:///path" (a stream socket).
 * @param tag  program name on each message; copied
 * @param out  owned by the caller: log_syslog_close
 * Thread: control.  Blocks: for the name look-up and, at most some seconds, for TCP.
 */
MUST_USE enum status log_syslog_open_url(const char *url, const char *tag, struct log_syslog **out,
                                         struct diag *d);

/**
 * Send one message. A daemon that does not take it, or a connection that is down, loses messages;
 * connections are tried anew at most once a second.
 * Thread: any, one at a time (the lock of the sink).  Blocks: no, except some ms to complete a
 * message of which the socket took a part.
 */
void log_syslog_write(struct log_syslog *s, enum log_level level, struct str message);

/**
 * Close the connection and release s; NULL is allowed.
 * Thread: any, after the last log_syslog_write.
 */
void log_syslog_close(struct log_syslog *s);
