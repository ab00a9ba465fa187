/* SPDX-License-Identifier: Apache-2.0 */
/* The mappings of an account, as /accountz tells them. */
#pragma once

struct json;
struct mapping_list;

/** Write the member "mappings", into an object that is open; nothing if there are none. Thread:
 * any.
 */
void account_mappings_write(struct json *j, const struct mapping_list *l);
