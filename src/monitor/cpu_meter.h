/* SPDX-License-Identifier: Apache-2.0 */
/* How busy the process was in the last second. Thread: control, for all. */
#pragma once

#include <stdint.h>

#include "io/timer.h"

struct worker;

struct cpu_meter {
    struct worker *worker;
    struct timer tick;
    int64_t wall_ns, cpu_ns; // when it last looked, and what had been used by then
    double percent;          // of one processor: more than 100 if several are busy
};

/** Begin to measure. @param worker  whose timer is used: control */
void cpu_meter_start(struct cpu_meter *c, struct worker *worker);
