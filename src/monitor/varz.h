/* SPDX-License-Identifier: Apache-2.0 */
/* The document /varz, for others who tell of the server as a whole. */
#pragma once

struct json;
struct monitor;

/** Write the object, as a value. Thread: control. */
void varz_write(struct json *j, const struct monitor *m);
