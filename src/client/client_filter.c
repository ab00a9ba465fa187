/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that were encoded on another worker while their receiver unsubscribed: once the answer
 * to UNSUB is on its way, not one of them may follow. Rare, so the bytes are simply read again. */
#include "base/buf.h"
#include "broker/sub.h"
#include "client/client.h"
#include "client/encoded.h"

void client_filter_output(struct conn *conn, struct outq *out, uint32_t epoch)
{
    struct client *c = client_of(conn);
    struct buf all = encoded_flatten(out);
    struct str rest = buf_str(&all);
    struct outq kept = {0};

    while (rest.n) {
        struct encoded e = encoded_read(rest);
        const struct sub *s = sids_find(&c->sids, e.sid);

        /* A subscription born later is another one that got the same id. */
        if (s && (int32_t)(s->born_epoch - epoch) <= 0) {
            outq_write(&kept, &conn->shard->pool, (struct str){.p = rest.p, .n = e.n});
        }
        rest = (struct str){.p = rest.p + e.n, .n = rest.n - e.n};
    }
    kept.n_msgs = out->n_msgs;
    kept.n_msg_bytes = out->n_msg_bytes;
    outq_clear(out, &conn->shard->pool);
    *out = kept;
    buf_deinit(&all);
}
