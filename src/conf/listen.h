/* SPDX-License-Identifier: Apache-2.0 */
/* Where to listen: a port, or an address. */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/status.h"
#include "base/str.h"
#include "conf/node.h"
#include "conf/option.h"

/** An address to listen on. */
struct listen_address {
    char *host;   // NULL: that of the client port
    int64_t port; // 0: none; -1: any free one
};

/**
 * Read 4222, or "127.0.0.1:4222", "[::1]:-1", ":4222".
 * @param host  a part of value, empty where there is none
 * @return      ST_FAILED: the reason was reported
 * Thread: any.
 */
MUST_USE enum status listen_parse(const struct node *value, struct str *host, int64_t *port,
                                  struct option_reader *r);

/** The type of fields that are a struct listen_address. */
extern const struct option_type listen_address_type;
