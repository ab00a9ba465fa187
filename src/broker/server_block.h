/* SPDX-License-Identifier: Apache-2.0 */
/* What every event of the system account and every trace says of the server that sends it (spec 06
 * §4). */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/json.h"
#include "base/str.h"

struct server_block {
    /* Members that stay the same for long: `"name":"…",…,"flags":0`. Immutable; a reload puts
     * others in their place, and frees them when it has settled. */
    _Atomic(const struct str *) head;
    _Atomic uint64_t seq; // of the last message that had a block
};

/** @param head  outlives the block, or lives until all workers have seen that another one is in
 * force. Thread: control. */
void server_block_set_head(struct server_block *b, const struct str *head);

/** Write the block, with a number and the time of its own, as a value. Thread: any. */
void server_block_write(struct server_block *b, struct json *j);

/** Count a message that nobody is there for as if it had been sent. Thread: any. */
void server_block_skip(struct server_block *b);
