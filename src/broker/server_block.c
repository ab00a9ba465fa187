/* SPDX-License-Identifier: Apache-2.0 */
/* The part that changes is written behind the part that does not. */
#include "broker/server_block.h"

#include "base/clock.h"

void server_block_write(struct server_block *b, struct json *j)
{
    char time[CLOCK_RFC3339_MAX];

    clock_format_rfc3339(clock_wall_ns(), time);
    json_open_object(j);
    json_raw(j, b->head);
    json_add_uint(j, "seq", atomic_fetch_add(&b->seq, 1) + 1);
    json_add_str(j, "time", str_of(time));
    json_close_object(j);
}
