/* SPDX-License-Identifier: Apache-2.0 */
/* All about one account, as /accountz and the request INFO tell it (spec 07 §8). */
#pragma once

struct json;
struct monitor;
struct tenant;

/** Write the object, as a value. @param t  of the tenancy in force. Thread: control. */
void account_detail_write(struct json *j, const struct monitor *m, const struct tenant *t);
