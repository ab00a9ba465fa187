/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that a burst left behind goes back to the system. The C library does that by itself only
 * at the end of its heaps; having it done takes it tens of milliseconds after a large burst, so it
 * is the control thread that asks, which no message waits for. */
#pragma once

#include <stdint.h>

#include "io/timer.h"

struct server;

struct reclaim {
    struct timer timer;
    struct server *server;
    uint64_t n_trimmed;  // [bytes] freed of the chunks that no shard had use for
    uint64_t n_released; // [bytes] freed by all when it was last done
};

/** Begin to look now and then whether there is something to give back. Thread: control. */
void reclaim_start(struct server *s);
