/* SPDX-License-Identifier: Apache-2.0 */
/* The ports file: which URLs this server listens on, for whoever started it on free ports. */
#pragma once

#include <stddef.h>

#include "base/attr.h"

/** One listener. */
struct ports_file_entry {
    const char *key;    // "nats", "monitoring", "cluster", "profile", "websocket"
    const char *scheme; // "nats", "tls", "http", …
    const char *host;   // that it listens on; "0.0.0.0" and "::" list every address there is
    int port;           // that it really has; 0: none, and the entry is left out
};

/**
 * Write <dir>/<program>_<pid>.ports: one object, an array of URLs per key. The file appears at once
 * with all its content. A failure is logged; the server runs on.
 * @param dir  NULL or "": nothing to do
 * @return     the path for ports_file_take_remove, owned by the caller; NULL without a dir
 * Thread: control, when all listeners are open.
 */
MUST_USE char *ports_file_write(const char *dir, const char *program,
                                const struct ports_file_entry *entries, size_t n_entries);

/**
 * Remove the file; a failure is logged.
 * @param take_path  of ports_file_write, owned by the callee; NULL is allowed
 * Thread: control.
 */
void ports_file_take_remove(char *take_path);
