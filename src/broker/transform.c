/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling a destination into steps; what is plain text between two placeholders is one step. It
 * is done in three passes, so that of several mistakes the one is reported that nats-server
 * reports. */
#include "broker/transform.h"

#include "base/mem.h"
#include "broker/transform_priv.h"
#include "proto/pattern.h"
#include "proto/subject.h"

struct transform *transform_start(struct str dest)
{
    struct transform *t = mem_zalloc(sizeof(*t));

    t->dest = mem_strndup(dest.p, dest.n);
    t->original = dest;
    return t;
}

void transform_free(struct transform *t)
{
    for (size_t i = 0; t && i < t->n_steps; i++) {
        mem_free((void *)(uintptr_t)t->steps[i].keys);
    }
    if (t) {
        mem_free(t->steps);
        mem_free(t->dest);
        mem_free(t);
    }
}

static void add_step(struct transform *t, struct transform_step s)
{
    t->steps = mem_realloc(t->steps, (t->n_steps + 1) * sizeof(*t->steps));
    t->steps[t->n_steps++] = s;
}

/* The same in the transform's own copy. */
static struct str own(const struct transform *t, struct str text)
{
    return (struct str){.p = t->dest + (text.n ? text.p - t->original.p : 0), .n = text.n};
}

void transform_add_text(struct transform *t, struct str text)
{
    struct transform_step *last = t->n_steps ? &t->steps[t->n_steps - 1] : NULL;
    struct str copy = own(t, text);

    if (last && last->kind == TRANSFORM_TEXT && last->text.p + last->text.n == copy.p) {
        last->text.n += copy.n;
    } else {
        add_step(t, (struct transform_step){.kind = TRANSFORM_TEXT, .text = copy});
    }
}

void transform_add_token(struct transform *t, enum transform_kind kind, uint32_t token)
{
    add_step(t, (struct transform_step){.kind = kind, .token = token});
}

/** What the source of a transform offers to its destination. */
struct source {
    struct str subject;
    uint32_t n_tokens;
    uint32_t n_stars;
    bool has_rest; // ends in ">"
};

/** A destination at work. */
struct compile {
    struct source source;
    struct str dest;
    struct transform *t;
    struct buf *why;
};

static struct source look_at_source(struct str subject)
{
    struct source s = {.subject = subject};

    for (struct str rest = subject; rest.p; s.n_tokens++) {
        struct str token = subject_next_token(&rest);

        s.n_stars += str_equal(token, STR("*"));
        s.has_rest = str_equal(token, STR(">"));
    }
    return s;
}

uint32_t transform_find_star(struct str source, int64_t index)
{
    struct str rest = source;

    for (uint32_t i = 0; index > 0 && rest.p; i++) {
        if (str_equal(subject_next_token(&rest), STR("*")) && --index == 0) {
            return i;
        }
    }
    return 0;
}

/* First pass: each token by itself. */
static enum status check_tokens(const struct compile *c)
{
    bool was_rest = false;

    for (struct str rest = c->dest; rest.p;) {
        struct str token = subject_next_token(&rest);
        struct transform_call call;

        if (was_rest) {
            return transform_refuse(c->why, "invalid transform", token);
        }
        if (!transform_read_token(token, &call)) {
            return transform_refuse(c->why, "unknown function", token);
        }
        if (!token.n || (call.kind == TRANSFORM_TEXT && transform_has_blanks(token))) {
            buf_add(c->why, STR("invalid mapping destination: invalid transform"));
            return ST_BAD_VALUE;
        }
        was_rest = str_equal(token, STR(">"));
    }
    return ST_OK;
}

/* Second pass: no "*", and ">" just if the source has it. */
static enum status check_wildcards(const struct compile *c)
{
    struct source dest = look_at_source(c->dest);

    if (dest.n_stars || dest.has_rest != c->source.has_rest) {
        buf_add(c->why, STR("invalid subject"));
        return ST_BAD_VALUE;
    }
    return ST_OK;
}

static enum status check_index(const struct compile *c, struct str token, int64_t index)
{
    if (!c->source.n_stars && !c->source.has_rest) {
        return transform_refuse(c->why, "wildcard index out of range", token);
    }
    if (index > (int64_t)c->source.n_stars) {
        return transform_refuse_index(c->why, token, index);
    }
    return ST_OK;
}

/* What a partition depends on. If the source has no wildcards nothing is hashed, whatever is asked
 * for: there is just one subject, and the number of the partition has to be that of nats-server. */
static enum status compile_partition(const struct compile *c, struct str token, struct str indices,
                                     struct transform_step *s)
{
    uint32_t *keys = NULL;
    enum status st = ST_OK;

    if (!c->source.n_stars && !c->source.has_rest) {
        return ST_OK;
    }
    s->is_whole = !indices.p;
    while (indices.p && st == ST_OK) {
        int64_t index = transform_next_index(&indices);

        st = check_index(c, token, index);
        keys = mem_realloc(keys, (s->n_keys + 1) * sizeof(*keys));
        keys[s->n_keys++] = transform_find_star(c->source.subject, index);
    }
    s->keys = keys;
    return st;
}

/* What a function is told to count, as it needs it. */
static uint32_t count_of(enum transform_kind kind, int64_t n)
{
    if (n >= 0 || kind == TRANSFORM_PARTITION) {
        return (uint32_t)n; // of a partition modulo 2^32, as nats-server has it
    }
    return kind == TRANSFORM_RANDOM ? (uint32_t)-(uint64_t)n : 0;
}

static enum status compile_call(const struct compile *c, struct str token,
                                struct transform_call call)
{
    struct transform_args args;
    const char *wrong = transform_read_args(call, &args);
    struct transform_step s = {.kind = call.kind, .n = count_of(call.kind, args.n)};
    enum status st = ST_OK;

    if (wrong) {
        return transform_refuse(c->why, wrong, token);
    }
    if (call.kind == TRANSFORM_PARTITION) {
        st = compile_partition(c, token, args.indices, &s);
    } else if (call.kind != TRANSFORM_RANDOM) {
        st = check_index(c, token, args.index);
        s.token = transform_find_star(c->source.subject, args.index);
        s.text = own(c->t, args.delimiter);
    }
    add_step(c->t, s);
    return st;
}

/* Third pass: the steps. */
static enum status compile(const struct compile *c)
{
    enum status st = ST_OK;

    for (struct str rest = c->dest; rest.p && st == ST_OK;) {
        struct str token = subject_next_token(&rest);
        struct transform_call call;

        (void)transform_read_token(token, &call);
        if (token.p != c->dest.p) {
            transform_add_text(c->t, (struct str){.p = token.p - 1, .n = 1});
        }
        if (str_equal(token, STR(">"))) {
            transform_add_token(c->t, TRANSFORM_REST, c->source.n_tokens - 1);
        } else if (call.kind == TRANSFORM_TEXT) {
            transform_add_text(c->t, token);
        } else {
            st = compile_call(c, token, call);
        }
    }
    return st;
}

enum status transform_new(struct str source, struct str dest, struct transform **out,
                          struct buf *why)
{
    struct compile c = {.source = look_at_source(source), .dest = dest, .why = why};
    enum status st;

    if (!pattern_is_valid(source)) {
        buf_add(why, STR("invalid subject"));
        return ST_BAD_VALUE;
    }
    c.dest.p = dest.p ? dest.p : "";
    st = check_tokens(&c);
    st = st == ST_OK ? check_wildcards(&c) : st;
    if (st != ST_OK) {
        return st;
    }
    c.t = transform_start(c.dest);
    st = compile(&c);
    if (st == ST_OK) {
        *out = c.t;
    } else {
        transform_free(c.t);
    }
    return st;
}
