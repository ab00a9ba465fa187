/* SPDX-License-Identifier: Apache-2.0 */
/* Once an UNSUB is answered not one more message may come, but all that were routed before must
 * have: a client that drains a subscription relies on both. Other workers may still hold some, so
 * the answer waits for them. */
#include "client/client.h"
#include "conn/fence.h"

void client_fence(struct client *c, void (*then)(struct client *c))
{
    c->needs_fence = false;
    c->after_fence = then;
    if (!fence_start(&c->conn)) {
        then(c);
    }
}

void client_answer(struct client *c, void (*answer)(struct client *c))
{
    if (UNLIKELY(c->needs_fence)) {
        client_fence(c, answer);
    } else {
        answer(c);
    }
}

void client_on_fenced(struct conn *conn)
{
    struct client *c = client_of(conn);

    c->after_fence(c);
}
