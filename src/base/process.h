/* SPDX-License-Identifier: Apache-2.0 */
/* What the process costs the machine. */
#pragma once

#include <stdint.h>

/** @return  [ns] of processor time that all threads have used so far. Thread: any. */
int64_t process_cpu_ns(void);

/** @return  [bytes] of memory that is resident; 0: not known. Thread: any. */
uint64_t process_resident_bytes(void);
