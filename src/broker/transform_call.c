/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens of destinations: text, "$1", "{{function(arguments)}}". What is not wholly of one of
 * the latter forms is text. */
#include "broker/transform_priv.h"

#define NOT_ENOUGH "not enough arguments passed to the function"
#define TOO_MANY "too many arguments passed to the function"
#define WRONG_FORMAT "function argument is invalid or in the wrong format"

/** A capital shows where a word begins; there, and at the start, either case may be written. */
static const struct function {
    struct str name;
    enum transform_kind kind;
} functions[] = {
    {STR_INIT("wildcard"), TRANSFORM_WILDCARD},
    {STR_INIT("partition"), TRANSFORM_PARTITION},
    {STR_INIT("random"), TRANSFORM_RANDOM},
    {STR_INIT("splitFromLeft"), TRANSFORM_SPLIT_FROM_LEFT},
    {STR_INIT("splitFromRight"), TRANSFORM_SPLIT_FROM_RIGHT},
    {STR_INIT("sliceFromLeft"), TRANSFORM_SLICE_FROM_LEFT},
    {STR_INIT("sliceFromRight"), TRANSFORM_SLICE_FROM_RIGHT},
    {STR_INIT("split"), TRANSFORM_SPLIT},
    {STR_INIT("left"), TRANSFORM_LEFT},
    {STR_INIT("right"), TRANSFORM_RIGHT},
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

bool transform_has_blanks(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (is_blank(s.p[i])) {
            return true;
        }
    }
    return false;
}

enum status transform_refuse(struct buf *why, const char *what, struct str token)
{
    buf_printf(why, "invalid mapping destination: %s in ", what);
    buf_add(why, token);
    return ST_BAD_VALUE;
}

enum status transform_refuse_index(struct buf *why, struct str token, int64_t index)
{
    (void)transform_refuse(why, "wildcard index out of range", token);
    buf_printf(why, ": [%lld]", (long long)index);
    return ST_BAD_VALUE;
}

/* ---- tokens */

static struct str skip(struct str s, size_t n)
{
    return (struct str){.p = s.p + n, .n = s.n - n};
}

static struct str trim_blanks(struct str s)
{
    while (s.n && is_blank(*s.p)) {
        s = skip(s, 1);
    }
    while (s.n && is_blank(s.p[s.n - 1])) {
        s.n--;
    }
    return s;
}

static struct str trim_spaces(struct str s)
{
    while (s.n && *s.p == ' ') {
        s = skip(s, 1);
    }
    while (s.n && s.p[s.n - 1] == ' ') {
        s.n--;
    }
    return s;
}

/* A number with a sign or without; all of s. */
static bool read_number(struct str s, int64_t *out)
{
    bool is_negative = s.n && *s.p == '-';
    int64_t v = 0;

    if (is_negative || (s.n && *s.p == '+')) {
        s = skip(s, 1);
    }
    for (size_t i = 0; i < s.n; i++) {
        int digit = s.p[i] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, is_negative ? -digit : digit, &v)) {
            return false;
        }
    }
    *out = v;
    return s.n > 0;
}

static bool is_name(struct str s, struct str name)
{
    if (s.n != name.n) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        bool is_start = i == 0 || (name.p[i] >= 'A' && name.p[i] <= 'Z');

        if (s.p[i] != name.p[i] && !(is_start && s.p[i] == (name.p[i] ^ 0x20))) {
            return false;
        }
    }
    return true;
}

/* What is between the braces: a name, and arguments in brackets. */
static bool read_call(struct str s, struct transform_call *out)
{
    const char *bracket = s.n ? memchr(s.p, '(', s.n) : NULL;

    s = trim_blanks(s);
    if (!bracket || s.p[s.n - 1] != ')') {
        return false;
    }
    struct str name = trim_blanks((struct str){.p = s.p, .n = (size_t)(bracket - s.p)});

    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        if (is_name(name, functions[i].name)) {
            out->kind = functions[i].kind;
            out->args = skip(s, (size_t)(bracket + 1 - s.p));
            out->args.n--;
            return true;
        }
    }
    return false;
}

bool transform_read_token(struct str token, struct transform_call *out)
{
    size_t n = token.n;
    int64_t number;

    *out = (struct transform_call){.kind = TRANSFORM_TEXT};
    if (n > 1 && token.p[0] == '$' && read_number(skip(token, 1), &number)) {
        *out = (struct transform_call){.kind = TRANSFORM_WILDCARD, .args = skip(token, 1)};
    } else if (n > 4 && str_starts_with(token, STR("{{")) &&
               str_equal(skip(token, n - 2), STR("}}"))) {
        return read_call((struct str){.p = token.p + 2, .n = n - 4}, out);
    }
    return true;
}

/* ---- arguments */

/* Takes what comes before the next comma; rest->p is NULL after the last. */
static struct str next_arg(struct str *rest)
{
    const char *comma = rest->n ? memchr(rest->p, ',', rest->n) : NULL;
    struct str arg = {.p = rest->p, .n = comma ? (size_t)(comma - rest->p) : rest->n};

    *rest = comma ? skip(*rest, arg.n + 1) : (struct str){0};
    return arg;
}

static bool next_number(struct str *rest, int64_t *out)
{
    return read_number(trim_spaces(next_arg(rest)), out);
}

int64_t transform_next_index(struct str *indices)
{
    int64_t index = 0;

    (void)next_number(indices, &index);
    return index;
}

static const char *read_partition(struct str args, struct transform_args *out)
{
    struct str rest = args;
    int64_t index;

    if (!next_number(&rest, &out->n) || out->n > INT32_MAX) {
        return WRONG_FORMAT;
    }
    out->indices = rest;
    while (rest.p) {
        if (!next_number(&rest, &index)) {
            return WRONG_FORMAT;
        }
    }
    return NULL;
}

static const char *read_random(struct str args, struct transform_args *out)
{
    struct str rest = args;
    bool is_number = next_number(&rest, &out->n);

    if (rest.p) {
        return NOT_ENOUGH; // of all things: so nats-server says
    }
    return is_number && out->n <= INT32_MAX ? NULL : WRONG_FORMAT;
}

static const char *read_delimiter(struct str arg, struct transform_args *out)
{
    while (arg.n && *arg.p == ' ') {
        arg = skip(arg, 1);
    }
    out->delimiter = arg;
    return arg.n && memchr(arg.p, ' ', arg.n) ? WRONG_FORMAT : NULL;
}

const char *transform_read_args(struct transform_call call, struct transform_args *out)
{
    struct str rest = call.args;

    *out = (struct transform_args){0};
    if (call.kind == TRANSFORM_PARTITION) {
        return read_partition(rest, out);
    }
    if (call.kind == TRANSFORM_RANDOM) {
        return read_random(rest, out);
    }
    bool has_second = call.kind != TRANSFORM_WILDCARD;
    struct str first = next_arg(&rest);
    struct str second = has_second ? next_arg(&rest) : first;

    if (has_second ? !second.p : !first.n && !rest.p) {
        return NOT_ENOUGH;
    }
    if (rest.p) {
        return TOO_MANY;
    }
    if (!read_number(trim_spaces(first), &out->index)) {
        return WRONG_FORMAT;
    }
    if (call.kind == TRANSFORM_SPLIT) {
        return read_delimiter(second, out);
    }
    if (has_second &&
        (!read_number(trim_spaces(second), &out->n) || out->n > INT32_MAX || out->n < INT32_MIN)) {
        return WRONG_FORMAT;
    }
    return NULL;
}
