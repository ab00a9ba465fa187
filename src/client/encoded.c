/* SPDX-License-Identifier: Apache-2.0 */
/* "[H]MSG subject sid [reply ][hdr_n ]n\r\n", then n bytes and CR LF: our own form, so it is
 * trusted. */
#include "client/encoded.h"

#include "conn/outq.h"

static size_t parse_size(struct str digits)
{
    size_t n = 0;

    for (size_t i = 0; i < digits.n; i++) {
        n = n * 10 + (size_t)(digits.p[i] - '0');
    }
    return n;
}

struct encoded encoded_read(struct str in)
{
    const char *lf = memchr(in.p, '\n', in.n);
    struct encoded e = {.line = {.p = in.p, .n = (size_t)(lf - in.p - 1)}};
    struct str rest = e.line;
    struct str before = {0};
    struct str word = {0};

    for (unsigned field = 0; rest.n; field++) {
        const char *blank = memchr(rest.p, ' ', rest.n);

        before = word;
        word = (struct str){.p = rest.p, .n = blank ? (size_t)(blank - rest.p) : rest.n};
        if (field == 2) {
            e.sid = word;
        }
        if (!blank) {
            break;
        }
        rest = (struct str){.p = blank + 1, .n = rest.n - word.n - 1};
    }
    e.body = (struct str){.p = lf + 1, .n = parse_size(word)};
    e.hdr = (struct str){.p = lf + 1, .n = in.p[0] == 'H' ? parse_size(before) : 0};
    e.n = (size_t)(lf + 1 - in.p) + e.body.n + 2;
    return e;
}

struct buf encoded_flatten(struct outq *q)
{
    struct buf all = {0};

    outq_seal(q);
    for (const struct chunk *c = q->head; c; c = c->next) {
        buf_add(&all, (struct str){.p = c->bytes, .n = c->n});
    }
    return all;
}
