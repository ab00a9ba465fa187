/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to connections, on its way from their workers to the monitor. */
#pragma once

struct monitor;

/** Make the watcher of a monitor. Thread: control, before the workers run. */
void watch_init(struct monitor *m);
