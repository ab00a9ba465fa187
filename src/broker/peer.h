/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever receives: a client, later a route, a leaf node, a service, a stream. The delivery path
 * knows none of them, only this. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct delivery;
struct msg;
struct sub;

struct peer_ops {
    const char *kind; // for logs and monitoring; never compared
    /**
     * Write one message for each of n subscriptions of peers of this kind.
     * @param with_tickets  ask each for a ticket (deliver_take_ticket); else none has a maximum,
     *                      and the caller counts
     * @return  how many of them took it; one that is gone or has reached its maximum does not
     * Thread: the publisher's worker.  Blocks: no.
     */
    size_t (*write_msg)(struct delivery *d, struct msg *m, struct sub *const *subs, size_t n,
                        bool with_tickets);
};
