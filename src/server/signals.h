/* SPDX-License-Identifier: Apache-2.0 */
/* What the process does when it is sent a signal (spec 02 §11). */
#pragma once

#include "io/signal_watch.h"

struct server;

#define SIGNALS_HANDLED 6

struct signals {
    struct signal_watch watches[SIGNALS_HANDLED];
};

/** Handle signals from now on, on the control thread. Thread: control. */
void signals_start(struct server *s);

/** Stop handling them; the watches are released with the control thread's loop. Thread: control. */
void signals_stop(struct server *s);
