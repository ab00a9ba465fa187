/* SPDX-License-Identifier: Apache-2.0 */
/* The "to" of an import. It has the wildcards of the exporter's subject, each of them once, though
 * perhaps in another order; so a subject can be transformed either way. */
#include "broker/transform.h"

#include <stdio.h>

#include "base/mem.h"
#include "broker/transform_priv.h"
#include "proto/pattern.h"
#include "proto/subject.h"

#define UNUSED UINT32_MAX

/** A "to" at work. */
struct pairing {
    struct str subject;
    struct str to;
    struct buf *local; // the pattern that is made of it
    struct buf *why;
    bool has_rest;       // the subject ends in ">"
    uint32_t n_stars;    // "*" in the subject
    uint32_t n_used;     // of these, so far
    uint32_t n_bare;     // "*" in "to" so far
    uint32_t *local_at;  // for each "*" of the subject: the token of `local`, or UNUSED
    uint32_t *remote_at; // for each "*" of `local`: the token of the subject
    bool is_reordered;   // the wildcards are
};

static bool is_star(struct str token)
{
    return str_equal(token, STR("*"));
}

static bool is_rest(struct str token)
{
    return str_equal(token, STR(">"));
}

static enum status refuse_subject(struct buf *why)
{
    buf_add(why, STR("invalid subject"));
    return ST_BAD_VALUE;
}

/* ---- the pattern of local subjects */

static enum status make_local(const struct pairing *p)
{
    struct transform_call call;
    bool has_rest = false;

    for (struct str rest = p->to; rest.p;) {
        struct str token = subject_next_token(&rest);

        if (!transform_read_token(token, &call)) {
            return transform_refuse(p->why, "unknown function", token);
        }
        buf_add(p->local, token.p == p->to.p ? STR("") : STR("."));
        buf_add(p->local, call.kind == TRANSFORM_TEXT ? token : STR("*"));
        has_rest = is_rest(token);
    }
    if (!pattern_is_valid(buf_str(p->local)) || has_rest != p->has_rest) {
        return refuse_subject(p->why);
    }
    return ST_OK;
}

/* ---- which wildcard is where */

/* Token `local` of the pattern is the wildcard of that index. */
static enum status use(struct pairing *p, struct str token, int64_t index, uint32_t local)
{
    if (index < 1 || index > (int64_t)p->n_stars) {
        return transform_refuse_index(p->why, token, index);
    }
    if (p->local_at[index - 1] != UNUSED) {
        return transform_refuse(p->why, "wildcard used more than once", token);
    }
    p->is_reordered |= index - 1 != (int64_t)p->n_used;
    p->local_at[index - 1] = local;
    p->remote_at[p->n_used++] = transform_find_star(p->subject, index);
    return ST_OK;
}

/* A bare "*" is the first one of the subject, the next one the second, and so on. */
static enum status use_bare(struct pairing *p, uint32_t local)
{
    char name[16];
    int n = snprintf(name, sizeof(name), "$%u", ++p->n_bare);

    return use(p, (struct str){.p = name, .n = (size_t)n}, p->n_bare, local);
}

static enum status use_call(struct pairing *p, struct str token, struct transform_call call,
                            uint32_t local)
{
    struct transform_args args;
    const char *wrong = transform_read_args(call, &args);

    if (!wrong && call.kind != TRANSFORM_WILDCARD) {
        wrong = "the only mapping function allowed for import transforms is {{Wildcard()}}";
    }
    return wrong ? transform_refuse(p->why, wrong, token) : use(p, token, args.index, local);
}

static enum status pair_wildcards(struct pairing *p)
{
    struct transform_call call;
    uint32_t local = 0;
    enum status st = ST_OK;

    for (struct str rest = p->to; rest.p && st == ST_OK; local++) {
        struct str token = subject_next_token(&rest);

        (void)transform_read_token(token, &call);
        if (is_star(token)) {
            st = use_bare(p, local);
        } else if (call.kind != TRANSFORM_TEXT) {
            st = use_call(p, token, call, local);
        }
    }
    if (st == ST_OK && p->n_used < p->n_stars) {
        st = transform_refuse(p->why, "not using all of the token wildcard(s)", p->to);
    }
    return st;
}

/* ---- the transforms */

/* To a pattern whose wildcards are the tokens in `from` of the other one; `last` is the one that
 * its ">" begins with. */
static struct transform *make(struct str pattern, const uint32_t *from, uint32_t last)
{
    struct transform *t = transform_start(pattern);

    for (struct str rest = pattern; rest.p;) {
        struct str token = subject_next_token(&rest);

        if (token.p != pattern.p) {
            transform_add_text(t, (struct str){.p = token.p - 1, .n = 1});
        }
        if (is_star(token)) {
            transform_add_token(t, TRANSFORM_WILDCARD, *from++);
        } else if (is_rest(token)) {
            transform_add_token(t, TRANSFORM_REST, last);
        } else {
            transform_add_text(t, token);
        }
    }
    return t;
}

static struct transform *make_text(struct str text)
{
    struct transform *t = transform_start(text);

    transform_add_text(t, text);
    return t;
}

static enum status pair(struct pairing *p, struct transform_pair *out)
{
    enum status st = make_local(p);

    st = st == ST_OK ? pair_wildcards(p) : st;
    if (st != ST_OK) {
        return st;
    }
    struct str local = buf_str(p->local);

    if (p->is_reordered || !str_equal(local, p->subject)) {
        out->to_local = make(local, p->remote_at, subject_count_tokens(p->subject) - 1);
        out->to_remote = make(p->subject, p->local_at, subject_count_tokens(local) - 1);
    }
    return ST_OK;
}

/* A subject without wildcards has another name, which is not looked into; if that is a pattern, all
 * that it matches leads to the subject. */
static enum status pair_literal(struct str subject, struct str to, struct transform_pair *out,
                                struct buf *why)
{
    if (!pattern_is_valid(to)) {
        return refuse_subject(why);
    }
    buf_add(&out->local, to);
    if (!str_equal(to, subject)) {
        out->to_local = make_text(to);
        out->to_remote = make_text(subject);
    }
    return ST_OK;
}

enum status transform_pair_init(struct str subject, struct str to, struct transform_pair *out,
                                struct buf *why)
{
    struct pairing p = {.subject = subject, .to = to, .local = &out->local, .why = why};
    enum status st;

    *out = (struct transform_pair){0};
    if (!pattern_is_valid(subject)) {
        return refuse_subject(why);
    }
    if (subject_is_literal(subject)) {
        return pair_literal(subject, to, out, why);
    }
    struct str rest = subject;

    do {
        struct str token = subject_next_token(&rest);

        p.n_stars += is_star(token);
        p.has_rest = is_rest(token);
    } while (rest.p);
    p.local_at = mem_alloc(p.n_stars * sizeof(*p.local_at));
    p.remote_at = mem_alloc(p.n_stars * sizeof(*p.remote_at));
    memset(p.local_at, 0xff, p.n_stars * sizeof(*p.local_at));
    st = pair(&p, out);
    mem_free(p.local_at);
    mem_free(p.remote_at);
    return st;
}

void transform_pair_deinit(struct transform_pair *p)
{
    transform_free(p->to_local);
    transform_free(p->to_remote);
    buf_deinit(&p->local);
    *p = (struct transform_pair){0};
}
