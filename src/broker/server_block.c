/* SPDX-License-Identifier: Apache-2.0 */
/* The part that changes is written behind the part that does not. */
#include "broker/server_block.h"

#include "base/clock.h"

void server_block_set_head(struct server_block *b, const struct str *head)
{
    atomic_store_explicit(&b->head, head, memory_order_release);
}

void server_block_write(struct server_block *b, struct json *j)
{
    const struct str *head = atomic_load_explicit(&b->head, memory_order_acquire);
    char time[CLOCK_RFC3339_MAX];

    clock_format_rfc3339(clock_wall_ns(), time);
    json_open_object(j);
    json_raw(j, *head);
    json_add_uint(j, "seq", atomic_fetch_add(&b->seq, 1) + 1);
    json_add_str(j, "time", str_of(time));
    json_close_object(j);
}

void server_block_skip(struct server_block *b)
{
    atomic_fetch_add(&b->seq, 1);
}
