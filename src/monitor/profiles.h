/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles by the names that Go's runtime has for them, as text: what PROFILEZ and the port for
 * profiling have in common. That of threads is thread_list.h. Thread: any, for all. */
#pragma once

#include "base/str.h"

struct buf;

/** Append "heap", which is "allocs" too: memory as malloc tells of it (malloc_info(3), XML);
 * nothing, if it does not. */
void profile_write_memory(struct buf *out);

/** Append how a profile of the CPU is taken, as it is not taken here. */
void profile_refuse_cpu(struct buf *out);

/** Append that nothing here is like this one. */
void profile_refuse(struct str name, struct buf *out);
