/* SPDX-License-Identifier: Apache-2.0 */
/* Reloading the configuration (spec 03 E): a new one is read and checked where nobody sees it; if
 * one option changed that cannot change while the server runs, all is refused. Otherwise every
 * worker adopts it between two messages; when the last one has, the old one is given up. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct login_rules;
struct server;
struct server_config;
struct server_identity;
struct tls_context;

struct reload {
    struct server_config *before;     // still in use by some workers; NULL: no reload is under way
    struct login_rules *rules;        // that the workers are to adopt; a reference
    struct tls_context *tls;          // likewise; NULL: none
    struct tls_context *monitor_tls;  // of HTTPS; likewise
    struct server_identity *identity; // that INFO tells now; NULL: that of the start
    struct server_identity *identity_before;   // still in use by some workers; NULL: likewise
    struct str *head_before;                   // likewise
    unsigned n_awaited;                        // workers that have not answered yet
    bool is_settling;                          // all have adopted it
    bool is_wanted_again;                      // asked for while one was under way
    void (*done)(void *arg, struct str error); // of reload_for; NULL: nobody waits
    void *done_arg;
};

/** Reload, and log what came of it. Thread: control. */
void reload_run(struct server *s);

/**
 * The same for somebody who wants to know what went wrong; there is only one at a time.
 * @param server  the struct server
 * @param done    called when it is over, with what went wrong; empty: nothing
 * Thread: control.
 */
void reload_for(void *server, void (*done)(void *arg, struct str error), void *done_arg);

/** Release what a reload that was under way left. Thread: control, after the workers ended. */
void reload_deinit(struct server *s);
