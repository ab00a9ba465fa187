/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that were encoded on another worker while their receiver unsubscribed: once the answer to
 * UNSUB is on its way, not one of them may follow. Rare, so the bytes are simply read again. */
#include "base/buf.h"
#include "broker/sub.h"
#include "client/client.h"

/* One encoded message: its subscription's id, and how long it is in all. */
struct encoded {
    struct str sid;
    size_t n;
};

/* Reads what client_msg.c wrote: "[H]MSG subject sid [reply ][hdr_n ]n\r\n", then n bytes and CR LF. */
static struct encoded read_encoded(struct str in)
{
    const char *lf = memchr(in.p, '\n', in.n);
    struct str line = {.p = in.p, .n = (size_t)(lf - in.p - 1)};
    struct encoded e = {0};
    size_t size = 0;

    for (unsigned field = 0; line.n; field++) {
        const char *blank = memchr(line.p, ' ', line.n);
        struct str word = {.p = line.p, .n = blank ? (size_t)(blank - line.p) : line.n};

        if (field == 2) {
            e.sid = word;
        }
        if (!blank) {
            for (size_t i = 0; i < word.n; i++) {
                size = size * 10 + (size_t)(word.p[i] - '0');
            }
            break;
        }
        line = (struct str){.p = blank + 1, .n = line.n - word.n - 1};
    }
    e.n = (size_t)(lf + 1 - in.p) + size + 2;
    return e;
}

static struct buf flatten(struct outq *q)
{
    struct buf all = {0};

    outq_seal(q);
    for (const struct chunk *c = q->head; c; c = c->next) {
        buf_add(&all, (struct str){.p = c->bytes, .n = c->n});
    }
    return all;
}

void client_filter_output(struct conn *conn, struct outq *out, uint32_t epoch)
{
    struct client *c = client_of(conn);
    struct buf all = flatten(out);
    struct str rest = buf_str(&all);
    struct outq kept = {0};

    while (rest.n) {
        struct encoded e = read_encoded(rest);
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
