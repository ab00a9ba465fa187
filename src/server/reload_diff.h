/* SPDX-License-Identifier: Apache-2.0 */
/* Two configurations, option by option: what a reload would change, in the words of the reference,
 * or why it cannot be done (spec 03 E). */
#pragma once

#include "base/buf.h"

struct server_config;

struct reload_diff {
    struct buf refusal; // the first change that a server that runs cannot make; empty: none
    struct buf changes; // what the log is to say, a line each
};

/**
 * Compare what is in use with what is wanted.
 * @param port  that is listened on: where any was asked for, it is the one that must not change
 * @param out   zeroed; its buffers are the caller's
 * Thread: control.
 */
void reload_compare(struct server_config *before, struct server_config *now, int port,
                    struct reload_diff *out);
