/* SPDX-License-Identifier: Apache-2.0 */
/* --signal: send a signal to a running server of the same program. */
#pragma once

#include "base/attr.h"
#include "base/diag.h"
#include "base/status.h"

/**
 * Send the signal that a command stands for: stop, quit, term, reopen, reload, ldm.
 * @param program   base name of the program; servers are found by it
 * @param argument  "cmd", "cmd=pid", "cmd=prefix*" or "cmd=file", of which the file holds the
 * latter
 * @return          ST_FAILED: the reason is in d
 * Thread: main.
 */
MUST_USE enum status signal_send(const char *program, const char *argument, struct diag *d);
