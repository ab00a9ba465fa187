/* SPDX-License-Identifier: Apache-2.0 */
/* To be told when something in a folder changes: files are replaced as often as written to, so it
 * is their folder that is watched. */
#pragma once

#include "base/attr.h"
#include "base/status.h"
#include "io/worker.h"

struct dir_watch;

/**
 * Call fn(arg) in a turn of the worker when something in the folder has changed: not what, and
 * perhaps several times for one change.
 * @param out  ended by dir_watch_close
 * Thread: the worker (as for all here).
 */
MUST_USE enum status dir_watch_open(struct worker *w, const char *path, void (*fn)(void *arg),
                                    void *arg, struct dir_watch **out);

/** End it; there are no more calls. NULL is allowed. */
void dir_watch_close(struct dir_watch *d);
