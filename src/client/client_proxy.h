/* SPDX-License-Identifier: Apache-2.0 */
/* Clients behind a load balancer: the header of the PROXY protocol, which comes before all else
 * (spec 04 §12.1; proto/proxy.h). */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct client;

/* Thread, for all functions: the client's worker. */

/** Begin: INFO goes out unless the handshake comes first, and a header is awaited. */
void client_proxy_start(struct client *c);

/** The first byte is there, and not read yet. */
void client_proxy_on_arrival(struct client *c, char first);

/**
 * Take the header, if there is one, off what has come.
 * @return  whether the protocol has begun: the rest of `in` is for it
 */
bool client_proxy_take_header(struct client *c, struct str *in);

/** The client's timer went off while a header was awaited. */
void client_proxy_on_timer(struct client *c);
