/* SPDX-License-Identifier: Apache-2.0 */
/* client_advertise: the address that clients are told instead of that of the listener. */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/status.h"
#include "base/str.h"

struct server_options;

/**
 * What clients are told to connect to.
 * @param listen_port  port for an advertised host without one
 * @param host         borrowed from o; the listen host when nothing is advertised
 * @return             ST_BAD_VALUE: client_advertise is not "host" or "host:port"
 * Thread: any.
 */
MUST_USE enum status advertise_find(const struct server_options *o, int64_t listen_port,
                                    struct str *host, int64_t *port);

/**
 * Check that clients can be told.
 * @param complaint  what the message begins with
 * @return           ST_FAILED: the reason is in d
 * Thread: control.
 */
MUST_USE enum status advertise_check(const struct server_options *o, const char *complaint,
                                     struct diag *d);
