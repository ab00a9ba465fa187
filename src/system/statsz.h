/* SPDX-License-Identifier: Apache-2.0 */
/* STATSZ: how the server is, told now and then and to whoever asks (spec 06 §5.4). Thread: control,
 * for all. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "io/timer.h"

struct system;

/** When it is told without being asked. */
struct statsz {
    struct system *system;
    struct timer timer;
    int64_t interval_ns; // from the next time to the one after
    int64_t sent_ns;     // monotonic
};

/** Tell of it now and then. */
void statsz_start(struct system *s);

/** Tell everybody now, if anybody hears it. */
void statsz_broadcast(struct system *s);

/** Append it, with the server's block. */
void statsz_write(struct system *s, struct buf *out);
