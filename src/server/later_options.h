/* SPDX-License-Identifier: Apache-2.0 */
/* Options of capabilities that do not exist yet: clusters, gateways, leaf nodes, WebSocket, MQTT,
 * JetStream, operators. They are read and checked, so that `-t` judges a configuration as
 * nats-server does; a start is refused when one of them is to run. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/status.h"
#include "conf/listen.h"
#include "conf/option.h"
#include "conf/origin.h"

struct later_options {
    struct listen_address cluster;
    const char *cluster_name;
    struct listen_address gateway;
    const char *gateway_name;
    struct listen_address leafnodes;
    bool has_leafnode_remotes;
    struct listen_address websocket;
    bool has_websocket_tls;
    bool is_websocket_plain; // no_tls
    struct listen_address mqtt;
    bool jetstream;
    bool has_store_dir;
    bool has_operator;
    bool has_resolver;
    const char *default_sentinel;
    bool staples_always; // ocsp
};

/** @return  the rows of these options over o. Thread: control. */
struct option_table later_options_table(struct later_options *o);

/**
 * Check what `-t` does not, and refuse what is to run but does not exist.
 * @param origins  where options were set, for messages
 * @return         ST_FAILED: the reasons are in d
 * Thread: control.
 */
MUST_USE enum status later_options_check(const struct later_options *o,
                                         const struct origins *origins, struct diag *d);
