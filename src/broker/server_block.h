/* SPDX-License-Identifier: Apache-2.0 */
/* What every event of the system account and every trace says of the server that sends it (spec 06
 * §4). */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/json.h"
#include "base/str.h"

struct server_block {
    struct str head;      // members that do not change: `"name":"…",…,"flags":0`
    _Atomic uint64_t seq; // of the last message that had a block
};

/** Write the block, with a number and the time of its own, as a value. Thread: any. */
void server_block_write(struct server_block *b, struct json *j);
