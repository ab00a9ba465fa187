/* SPDX-License-Identifier: Apache-2.0 */
/* What the process does when it is sent a signal (spec 02 §11). */
#pragma once

#include <uv.h>

struct server;

#define SIGNALS_HANDLED 6

struct signals {
    uv_signal_t handles[SIGNALS_HANDLED];
};

/** Handle signals from now on, on the control thread. Thread: control. */
void signals_start(struct server *s);

/** Stop handling them; the handles are closed with the control thread's loop. Thread: control. */
void signals_stop(struct server *s);
