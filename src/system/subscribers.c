/* SPDX-License-Identifier: Apache-2.0 */
/* The answer is a bare number, to "subject" or "subject queue". */
#include "broker/account.h"
#include "broker/deliver.h"
#include "broker/index.h"
#include "broker/msg_origin.h"
#include "broker/peer.h"
#include "broker/sub.h"
#include "system/system.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str take_word(struct str *rest)
{
    struct str word;

    while (rest->n && is_blank(rest->p[0])) {
        *rest = (struct str){.p = rest->p + 1, .n = rest->n - 1};
    }
    word = (struct str){.p = rest->p};
    while (word.n < rest->n && !is_blank(rest->p[word.n])) {
        word.n++;
    }
    *rest = (struct str){.p = rest->p + word.n, .n = rest->n - word.n};
    return word;
}

static size_t answer(struct delivery *d, struct account *a, struct msg *m, struct sub *s,
                     uint64_t except)
{
    struct str rest = m->payload;
    struct index_census census = {.counts = sub_is_of_client};
    struct buf text = {0};

    (void)s;
    (void)except;
    census.subject = take_word(&rest);
    census.queue = take_word(&rest);
    if (m->reply.n) {
        buf_printf(&text, "%llu",
                   (unsigned long long)index_count_matches(m->origin->account->index,
                                                           d->cache.reader, &census));
        deliver_own(d, a, m->reply, buf_str(&text));
        buf_deinit(&text);
    }
    return 1;
}

const struct peer_ops subscribers_ops = {
    .kind = "System", .write_msg = deliver_afterwards, .handle = answer};
