/* SPDX-License-Identifier: Apache-2.0 */
/* Running the steps of a transform: nothing is allocated but what the result needs. */
#include "broker/transform.h"

#include "base/decimal.h"
#include "base/utf8.h"
#include "broker/transform_priv.h"
#include "proto/subject.h"

#define FNV_START 2166136261u
#define FNV_PRIME 16777619u

/** A subject on its way through the steps. */
struct run {
    struct str subject;
    struct str rest; // from token `at` on
    uint32_t at;
    uint64_t random;
};

/* What begins with a token; steps mostly ask for one after the other. */
static struct str rest_from(struct run *r, uint32_t token)
{
    if (token < r->at) {
        r->rest = r->subject;
        r->at = 0;
    }
    for (; r->at < token; r->at++) {
        (void)subject_next_token(&r->rest);
    }
    return r->rest;
}

static struct str token_at(struct run *r, uint32_t token)
{
    struct str rest = rest_from(r, token);

    return subject_next_token(&rest);
}

static void add_number(struct buf *out, uint64_t v)
{
    char *start = buf_reserve(out, DECIMAL_MAX);

    out->n += (size_t)(decimal_write(start, v) - start);
}

static uint32_t fnv(uint32_t hash, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        hash = (hash ^ (unsigned char)s.p[i]) * FNV_PRIME;
    }
    return hash;
}

static uint32_t partition(struct run *r, const struct transform_step *s)
{
    uint32_t hash = s->is_whole ? fnv(FNV_START, r->subject) : FNV_START;

    for (uint32_t i = 0; i < s->n_keys; i++) {
        hash = fnv(hash, token_at(r, s->keys[i]));
    }
    return s->n ? hash % s->n : 0;
}

/* Draws anew, as there may be several. */
static uint32_t draw(struct run *r, uint32_t n)
{
    r->random = r->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((r->random >> 32) * n >> 32);
}

static struct str part(struct str s, size_t from, size_t n)
{
    return (struct str){.p = s.p + from, .n = s.n - from < n ? s.n - from : n};
}

/* Cuts a token after `first` bytes, and what follows in slices. */
static void add_slices(struct buf *out, struct str token, size_t first, size_t size)
{
    buf_add(out, part(token, 0, first));
    for (size_t at = first; at < token.n; at += size) {
        buf_add_char(out, '.');
        buf_add(out, part(token, at, size));
    }
}

static void add_cut(struct buf *out, struct str token, enum transform_kind kind, size_t n)
{
    size_t rest = n ? token.n % n : 0;

    if (n == 0 || n >= token.n) {
        buf_add(out, token);
    } else if (kind == TRANSFORM_SPLIT_FROM_LEFT) {
        add_slices(out, token, n, token.n);
    } else if (kind == TRANSFORM_SPLIT_FROM_RIGHT) {
        add_slices(out, token, token.n - n, n);
    } else if (kind == TRANSFORM_SLICE_FROM_LEFT) {
        add_slices(out, token, n, n);
    } else if (kind == TRANSFORM_SLICE_FROM_RIGHT) {
        add_slices(out, token, rest ? rest : n, n);
    } else {
        buf_add(out, part(token, kind == TRANSFORM_LEFT ? 0 : token.n - n, n));
    }
}

/* Takes the part before the next delimiter; each character is one if there is no delimiter.
 * rest->p is NULL after the last. */
static struct str next_part(struct str *rest, struct str delimiter)
{
    struct str whole = *rest;
    size_t end = whole.n;
    uint32_t c;

    if (whole.n && delimiter.n) {
        const char *at = memmem(whole.p, whole.n, delimiter.p, delimiter.n);

        end = at ? (size_t)(at - whole.p) : whole.n;
    } else if (whole.n) {
        size_t n = utf8_decode(whole, &c);

        end = n ? n : 1;
    }
    *rest = end == whole.n ? (struct str){0} : part(whole, end + delimiter.n, whole.n);
    return part(whole, 0, end);
}

/* Empty parts vanish, but for an empty token where there are several at the start, or only such: so
 * nats-server does it, and then nobody gets the message. */
static void add_split(struct buf *out, struct str token, struct str delimiter)
{
    struct str rest = token;
    struct str first = next_part(&rest, delimiter);
    bool is_dot_due = first.n > 0;

    buf_add(out, first);
    while (rest.p) {
        struct str next = next_part(&rest, delimiter);

        if (next.n && is_dot_due) {
            buf_add_char(out, '.');
        }
        buf_add(out, next);
        is_dot_due = true;
    }
}

static void run_step(struct run *r, const struct transform_step *s, struct buf *out)
{
    switch (s->kind) {
    case TRANSFORM_TEXT:
        buf_add(out, s->text);
        break;
    case TRANSFORM_REST:
        buf_add(out, rest_from(r, s->token));
        break;
    case TRANSFORM_RANDOM:
        add_number(out, draw(r, s->n));
        break;
    case TRANSFORM_PARTITION:
        add_number(out, partition(r, s));
        break;
    case TRANSFORM_WILDCARD:
        buf_add(out, token_at(r, s->token));
        break;
    case TRANSFORM_SPLIT:
        add_split(out, token_at(r, s->token), s->text);
        break;
    default:
        add_cut(out, token_at(r, s->token), s->kind, s->n);
        break;
    }
}

void transform_apply(const struct transform *t, struct str subject, uint32_t random,
                     struct buf *out)
{
    struct run r = {.subject = subject, .rest = subject, .random = random};

    for (size_t i = 0; i < t->n_steps; i++) {
        run_step(&r, &t->steps[i], out);
    }
}
