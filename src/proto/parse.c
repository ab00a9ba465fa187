/* SPDX-License-Identifier: Apache-2.0 */
/* The client protocol, inbound. A control line is looked at as a whole: find its LF, split it by
 * blanks. Only what is wrong before the LF arrives (an unknown verb, an over-long line) is judged
 * earlier. */
#include "proto/parse.h"

#define MAX_ARGS 4
#define MAX_SIZE_DIGITS 9
#define MAX_BLANKS 1024u // before the arguments, beyond the limit on those

struct verb_name {
    struct str name;
    bool wants_blank;  // at least one blank must follow
    bool ignores_rest; // whatever follows up to the LF does not matter, however long
};

static const struct verb_name verb_names[VERB_COUNT] = {
    [VERB_CONNECT] = {STR_INIT("CONNECT"), false, false},
    [VERB_PING] = {STR_INIT("PING"), false, true},
    [VERB_PONG] = {STR_INIT("PONG"), false, true},
    [VERB_SUB] = {STR_INIT("SUB"), true, false},
    [VERB_UNSUB] = {STR_INIT("UNSUB"), true, false},
    [VERB_PUB] = {STR_INIT("PUB"), true, false},
    [VERB_HPUB] = {STR_INIT("HPUB"), true, false},
    [VERB_OK] = {STR_INIT("+OK"), false, true},
    [VERB_ERR] = {STR_INIT("-ERR"), true, false},
    [VERB_INFO] = {STR_INIT("INFO"), false, false},
};

static inline char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Which verb can this be? Two letters tell; VERB_COUNT if none. */
static enum verb guess_verb(struct str in)
{
    char second = in.n > 1 ? upper(in.p[1]) : '\0';

    switch (upper(in.p[0])) {
    case 'P':
        return second == 'I' ? VERB_PING : second == 'O' ? VERB_PONG : VERB_PUB;
    case 'H':
        return VERB_HPUB;
    case 'S':
        return VERB_SUB;
    case 'U':
        return VERB_UNSUB;
    case 'C':
        return VERB_CONNECT;
    case 'I':
        return VERB_INFO;
    case '+':
        return VERB_OK;
    case '-':
        return VERB_ERR;
    default:
        return VERB_COUNT;
    }
}

/* Reads the verb off the front. PARSE_OP: it is complete, with the byte that it wants behind it. */
static enum parse_result parse_verb(struct str in, enum verb *verb)
{
    *verb = guess_verb(in);
    if (*verb == VERB_COUNT) {
        return PARSE_UNKNOWN;
    }
    const struct verb_name *v = &verb_names[*verb];
    size_t n = in.n < v->name.n ? in.n : v->name.n;
    for (size_t i = 1; i < n; i++) {
        if (upper(in.p[i]) != v->name.p[i]) {
            return PARSE_UNKNOWN;
        }
    }
    if (in.n <= v->name.n) {
        return PARSE_MORE;
    }
    return v->wants_blank && !is_blank(in.p[n]) ? PARSE_UNKNOWN : PARSE_OP;
}

/* Splits by blanks (and CR, if asked). Returns the number of arguments, MAX_ARGS + 1 for too
 * many. */
static unsigned split_args(struct str line, bool split_cr, struct str *args)
{
    const char *p = line.p;
    const char *end = p + line.n;
    unsigned n = 0;

    for (;;) {
        while (p < end && (is_blank(*p) || (split_cr && *p == '\r'))) {
            p++;
        }
        if (p == end) {
            return n;
        }
        if (n == MAX_ARGS) {
            return MAX_ARGS + 1;
        }
        const char *start = p;
        while (p < end && !is_blank(*p) && !(split_cr && *p == '\r')) {
            p++;
        }
        args[n++] = (struct str){.p = start, .n = (size_t)(p - start)};
    }
}

/* One to nine digits; false for anything else. */
static bool parse_number(struct str s, uint32_t *out)
{
    uint32_t v = 0;

    if (s.n == 0 || s.n > MAX_SIZE_DIGITS) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

        if (digit > 9) {
            return false;
        }
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

static enum parse_result parse_sub(struct op *op)
{
    UNINITIALIZED struct str args[MAX_ARGS];
    unsigned n = split_args(op->arg, true, args);

    if (n != 2 && n != 3) {
        return PARSE_BAD_ARGS;
    }
    op->subject = args[0];
    op->queue = n == 3 ? args[1] : (struct str){0};
    op->sid = args[n - 1];
    return PARSE_OP;
}

static enum parse_result parse_unsub(struct op *op)
{
    UNINITIALIZED struct str args[MAX_ARGS];
    unsigned n = split_args(op->arg, true, args);

    if (n != 1 && n != 2) {
        return PARSE_BAD_ARGS;
    }
    op->sid = args[0];
    if (n == 1 || !parse_number(args[1], &op->max)) {
        op->max = 0;
    }
    return PARSE_OP;
}

/* Do all arguments from `from` on stand one space apart, and does the last one end the line? */
static bool is_canonical(const struct str *args, unsigned from, unsigned n, const char *line_end)
{
    for (unsigned i = from; i + 1 < n; i++) {
        const char *end = args[i].p + args[i].n;

        if (*end != ' ' || end + 1 != args[i + 1].p) {
            return false;
        }
    }
    return args[n - 1].p + args[n - 1].n == line_end;
}

/*
 * PUB and HPUB. `line_end` is the end of the arguments, `body` the byte after the LF.
 */
static enum parse_result parse_pub(struct parser *p, struct str *in, const char *line_end,
                                   const char *body, struct op *op)
{
    UNINITIALIZED struct str args[MAX_ARGS];
    unsigned n = split_args(op->arg, false, args);
    unsigned n_numbers = op->verb == VERB_HPUB ? 2 : 1;
    uint32_t hdr_n = 0;
    uint32_t size;

    if (n < n_numbers + 1 || n > n_numbers + 2) {
        return PARSE_BAD_ARGS;
    }
    if (!parse_number(args[n - 1], &size)) {
        return PARSE_BAD_ARGS;
    }
    if (n_numbers == 2 && (!p->has_headers || !parse_number(args[n - 2], &hdr_n) || hdr_n > size)) {
        return PARSE_BAD_ARGS;
    }
    if (p->max_payload_bytes >= 0 && size > p->max_payload_bytes) {
        p->need = (size_t)size;
        op->msg = (struct msg){.subject = args[0]};
        if ((size_t)(in->p + in->n - body) >= hdr_n) {
            op->msg.hdr = (struct str){.p = body, .n = hdr_n};
        }
        return PARSE_TOO_BIG;
    }
    size_t line_n = (size_t)(body - in->p);
    size_t have = in->n - line_n;
    if (have > size && body[size] != '\r') {
        return PARSE_UNKNOWN;
    }
    if (have < (size_t)size + 2) {
        p->need = line_n + size + 2;
        return PARSE_MORE;
    }
    if (body[size + 1] != '\n') {
        return PARSE_UNKNOWN;
    }
    op->msg.subject = args[0];
    op->msg.reply = n == n_numbers + 2 ? args[1] : (struct str){0};
    op->msg.hdr = (struct str){.p = body, .n = hdr_n};
    op->msg.payload = (struct str){.p = body + hdr_n, .n = size - hdr_n};
    /* An empty header block makes a plain message, whose line has one number less. */
    unsigned first = n_numbers == 2 && hdr_n == 0 ? n - 1 : 1;
    op->msg.wire = op->msg.wire_bare = (struct str){0};
    if (body - line_end == 2 && (op->msg.reply.n == 0 || first == 1) &&
        is_canonical(args, first, n, line_end)) {
        op->msg.wire =
            (struct str){.p = args[first].p, .n = (size_t)(body + size + 2 - args[first].p)};
    }
    *in = (struct str){.p = body + size + 2, .n = have - size - 2};
    return PARSE_OP;
}

/* The rest of a line of which nothing matters but its end. */
static enum parse_result skip_line(struct parser *p, struct str *in, struct op *op)
{
    const char *lf = memchr(in->p, '\n', in->n);

    if (!lf) {
        p->is_skipping = true;
        *in = (struct str){.p = in->p + in->n, .n = 0};
        return PARSE_MORE;
    }
    p->is_skipping = false;
    op->verb = p->skip_verb;
    op->arg = (struct str){0};
    *in = (struct str){.p = lf + 1, .n = in->n - (size_t)(lf + 1 - in->p)};
    return PARSE_OP;
}

/* Is the unfinished line [line, end) with its arguments from `arg` on beyond the limit? A CR at its
 * end may belong to the line end that is still to come. Blanks before the arguments do not count,
 * but they end too. */
static bool is_too_long(const struct parser *p, const char *line, const char *arg, const char *end)
{
    size_t n = (size_t)(end - arg) - (end > arg && end[-1] == '\r' ? 1 : 0);

    return n > p->max_line_bytes || (size_t)(arg - line) > p->max_line_bytes + MAX_BLANKS;
}

/* The end of the token that starts at p: the first byte that is a blank or a control character. */
static inline const char *skip_token(const char *p, const char *end)
{
    while (p < end && (unsigned char)*p > ' ') {
        p++;
    }
    return p;
}

/* The slice between two pointers. */
static inline struct str between(const char *from, const char *to)
{
    return (struct str){.p = from, .n = (size_t)(to - from)};
}

/*
 * The rest of a PUB or HPUB just as clients write it, one space between words, which is what a busy
 * server spends its time on: "PUB subject [reply] size\r\n…\r\n". False: it is anything else, or
 * unfinished, and the long way decides.
 */
ALWAYS_INLINE bool parse_plain(const struct parser *p, struct str *in, struct op *op, bool has_hdr)
{
    const char *end = in->p + in->n;
    uint32_t size;
    uint32_t hdr_n = 0;

    const char *args = in->p + (has_hdr ? 5 : 4);

    /* Words by their ends; the last and, with headers, the one before it are numbers. */
    UNINITIALIZED const char *word_end[MAX_ARGS];
    unsigned n = 0;
    const char *at = args;
    do {
        const char *from = n ? at + 1 : at;

        at = skip_token(from, end);
        if (at == from) {
            return false;
        }
        word_end[n++] = at;
    } while (n < (has_hdr ? MAX_ARGS : MAX_ARGS - 1) && at < end && *at == ' ');

    unsigned n_names = n - (has_hdr ? 2 : 1);
    if (n_names - 1 > 1 || end - at < 2 || at[0] != '\r' || at[1] != '\n' ||
        (size_t)(at - args) > p->max_line_bytes ||
        !parse_number(between(word_end[n - 2] + 1, at), &size)) {
        return false;
    }
    if (has_hdr && (!parse_number(between(word_end[n - 3] + 1, word_end[n - 2]), &hdr_n) ||
                    hdr_n == 0 || hdr_n > size)) {
        return false;
    }
    const char *body = at + 2;
    if ((size_t)(end - body) < (size_t)size + 2 || body[size] != '\r' || body[size + 1] != '\n' ||
        (p->max_payload_bytes >= 0 && size > p->max_payload_bytes)) {
        return false;
    }
    const char *next = body + size + 2;
    const char *tail = word_end[0] + 1;
    op->verb = has_hdr ? VERB_HPUB : VERB_PUB;
    op->arg = between(args, at);
    op->msg.subject = between(args, word_end[0]);
    op->msg.reply = between(tail, n_names == 2 ? word_end[1] : tail);
    op->msg.hdr = (struct str){.p = body, .n = hdr_n};
    op->msg.payload = (struct str){.p = body + hdr_n, .n = size - hdr_n};
    op->msg.wire = between(tail, next);
    op->msg.wire_bare = (struct str){0};
    *in = between(next, end);
    return true;
}

static inline bool parse_plain_pub(const struct parser *p, struct str *in, struct op *op)
{
    if (in->n < sizeof("HPUB s 0 0\r\n")) {
        return false;
    }
    if (LIKELY(memcmp(in->p, "PUB ", 4) == 0)) {
        return parse_plain(p, in, op, false);
    }
    return p->has_headers && memcmp(in->p, "HPUB ", 5) == 0 && parse_plain(p, in, op, true);
}

enum parse_result parse_next(struct parser *p, struct str *in, struct op *op)
{
    enum verb verb;

    p->need = 0;
    if (in->n == 0) {
        return PARSE_MORE;
    }
    if (UNLIKELY(p->is_skipping)) {
        return skip_line(p, in, op);
    }
    if (UNLIKELY(p->connect_only) && upper(in->p[0]) != 'C') {
        return PARSE_AUTH_REQUIRED;
    }
    if (LIKELY(p->scanned == 0) && parse_plain_pub(p, in, op)) {
        return PARSE_OP;
    }
    enum parse_result r = parse_verb(*in, &verb);
    if (UNLIKELY(r != PARSE_OP)) {
        return r;
    }
    if (verb_names[verb].ignores_rest) {
        p->skip_verb = verb;
        return skip_line(p, in, op);
    }

    const char *end = in->p + in->n;
    const char *arg = in->p + verb_names[verb].name.n;
    while (arg < end && is_blank(*arg)) {
        arg++;
    }
    const char *from = in->p + p->scanned > arg ? in->p + p->scanned : arg;
    const char *lf = memchr(from, '\n', (size_t)(end - from));
    if (UNLIKELY(!lf)) {
        p->scanned = in->n;
        return is_too_long(p, in->p, arg, end) ? PARSE_LINE_TOO_LONG : PARSE_MORE;
    }
    p->scanned = 0;
    const char *line_end = lf > arg && lf[-1] == '\r' ? lf - 1 : lf;
    op->verb = verb;
    op->arg = (struct str){.p = arg, .n = (size_t)(line_end - arg)};
    if (UNLIKELY(op->arg.n > p->max_line_bytes)) {
        return PARSE_LINE_TOO_LONG;
    }
    if (verb == VERB_PUB || verb == VERB_HPUB) {
        return parse_pub(p, in, line_end, lf + 1, op);
    }
    if (verb == VERB_SUB) {
        r = parse_sub(op);
    } else if (verb == VERB_UNSUB) {
        r = parse_unsub(op);
    }
    *in = (struct str){.p = lf + 1, .n = (size_t)(end - lf - 1)};
    return r;
}
