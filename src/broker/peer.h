/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever receives: a client, later a route, a leaf node, a service, a stream. The delivery path
 * knows none of them, only this. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct account;
struct buf;
struct conn;
struct delivery;
struct msg;
struct speaker;
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
    /**
     * What a peer that is not written to (write_msg is deliver_afterwards) does for a message of an
     * account, once that has been handed to everybody else.
     * @param except  of the delivery: whose subscriptions get nothing
     * @return        how many subscriptions it reached by that; 0: it has not been taken
     * Thread: the publisher's worker.  Blocks: no.
     */
    size_t (*handle)(struct delivery *d, struct account *a, struct msg *m, struct sub *s,
                     uint64_t except);
    /** `handle` says where the message goes, so it gets those that are only traced, too
     * (broker/trace.h). */
    bool tells_traces;
    /** Whose connection it is; NULL: peers of this kind have none. Thread: that of the
     * connection. */
    const struct speaker *(*speaker)(struct conn *c);
    /**
     * The subject that the receiver sees in the place of a message's; NULL: it is the same.
     * @param out  room for it, whose content is lost
     * Thread: any.
     */
    struct str (*subject_seen)(const struct sub *s, struct str subject, struct buf *out);
    /** Free a subscription that nobody refers to any more, made by sub_new_in; NULL: that is not
     * how it was made. Thread: any. */
    void (*release)(struct sub *s);
};
