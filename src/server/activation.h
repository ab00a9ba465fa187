/* SPDX-License-Identifier: Apache-2.0 */
/* Socket activation: the service manager may have opened the sockets that we are to listen on, and
 * pass them from descriptor 3 on (sd_listen_fds(3)). Whoever is about to bind asks here first. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/status.h"
#include "io/addr.h"

struct server_config;

#define ACTIVATION_MAX 16 // sockets

struct activation {
    char *names; // LISTEN_FDNAMES, a NUL after each; NULL: nothing was passed
    struct passed_socket {
        int fd;
        const char *name;     // points into names; "": it has none
    } passed[ACTIVATION_MAX]; // those that nobody has taken yet
    size_t n;
    char host[ADDR_TEXT_MAX]; // that clients reach us at by a socket that was passed
    int64_t port;             // likewise; -1: not by TCP; 0: none was passed
};

/**
 * Take LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES out of the environment, and what they say is
 * passed to us.
 * @return  ST_FAILED: that makes no sense; it has been logged
 * Thread: control, before others run (then control, for all functions here).
 */
MUST_USE enum status activation_open(struct activation *a);

/**
 * Take a socket that was passed. "client" is also the first one without a name: systemd gives such
 * the name of their unit, so a name that ends in ".socket" is none.
 * @param name  "client", "unix", …
 * @return      a descriptor for listener_adopt, owned by the caller from now on; -1: there is none
 */
MUST_USE int activation_take(struct activation *a, const char *name);

/**
 * A socket for clients says where we listen, whatever the options do: set host and port to that,
 * at the start and in each configuration that a reload reads.
 */
void activation_override(const struct activation *a, struct server_config *config);

/** Close what nobody took, with a warning each. Once all have had their turn. */
void activation_close_rest(struct activation *a);

/** Release everything. */
void activation_deinit(struct activation *a);
