/* SPDX-License-Identifier: Apache-2.0 */
/* The header of the PROXY protocol, versions 1 and 2, by which a load balancer says for whom it
 * speaks (spec 04 §12.1; haproxy.org, "The PROXY protocol"). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/** A header of version 1 is a line of so many bytes at most. */
#define PROXY_LINE_MAX 107

enum proxy_result {
    PROXY_OK,   // there was a header
    PROXY_NONE, // what came is no header: a client without a proxy
    PROXY_MORE, // not to be told yet
    PROXY_BAD,
};

/** For whom the proxy speaks. */
struct proxy_header {
    size_t n;        // [bytes] it is long; after PROXY_MORE: will be, if that is known, else 0
    unsigned family; // 4, 6; 0: for itself, or it does not say
    uint8_t ip[16];  // network order
    uint16_t port;
};

/** Room for a reason, with its NUL. */
#define PROXY_WHY_MAX 128

/**
 * Read a header off the start of what a connection sent.
 * @param out  set if PROXY_OK
 * @param why  set if PROXY_BAD, for the log; PROXY_WHY_MAX bytes
 * Thread: any.
 */
enum proxy_result proxy_parse(struct str in, struct proxy_header *out, char *why);
