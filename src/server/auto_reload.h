/* SPDX-License-Identifier: Apache-2.0 */
/* auto_reload, an option of ours: a change of the configuration file, or of a certificate, is a
 * reason to reload. */
#pragma once

#include <stddef.h>

#include "io/timer.h"

struct dir_watch;
struct server;
struct watched_file;

struct auto_reload {
    struct server *server;
    struct timer timer; // set while changes come: an editor makes several
    struct watched_file *files;
    size_t n;
};

/** Watch what the present configuration names, if it says so, and nothing else any more.
 * Thread: control (as for all here). */
void auto_reload_start(struct server *s);

/** Watch nothing any more. */
void auto_reload_stop(struct server *s);
