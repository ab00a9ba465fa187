/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's side of the parser, and the text form of what it finds; see parse_run.h. */
#include "parse_run.h"

#include "base/attr.h"
#include "base/mem.h"

const char *parse_run_name(enum parse_result r)
{
    switch (r) {
    case PARSE_OP:
    case PARSE_MORE:
        break;
    case PARSE_UNKNOWN:
        return "unknown";
    case PARSE_LINE_TOO_LONG:
        return "line too long";
    case PARSE_TOO_BIG:
        return "too big";
    case PARSE_BAD_ARGS:
        return "bad args";
    case PARSE_AUTH_REQUIRED:
        return "auth required";
    }
    UNREACHABLE();
}

static void put(struct buf *out, struct str s)
{
    buf_add_char(out, '[');
    buf_add(out, s);
    buf_add_char(out, ']');
}

/* Takes a number off the front of *s, which one `end` byte must follow. */
static void take_number(struct str *s, size_t wanted, char end)
{
    size_t v = 0;

    ENSURE(s->n && s->p[0] >= '0' && s->p[0] <= '9');
    while (s->n && s->p[0] >= '0' && s->p[0] <= '9') { // leading zeros are as sent
        v = v * 10 + (size_t)(s->p[0] - '0');
        s->p++;
        s->n--;
    }
    ENSURE(v == wanted && s->n && s->p[0] == end);
    s->p++;
    s->n--;
}

static void take_bytes(struct str *s, struct str wanted)
{
    ENSURE(str_starts_with(*s, wanted));
    s->p += wanted.n;
    s->n -= wanted.n;
}

/* The end of a MSG or HMSG line and the message, as it has to be if op->msg.wire is given. */
static void check_wire(const struct op *op)
{
    struct str left = op->msg.wire;

    if (!left.p) {
        return;
    }
    if (op->msg.reply.n) {
        take_bytes(&left, op->msg.reply);
        take_bytes(&left, STR(" "));
    }
    if (op->msg.hdr.n) {
        take_number(&left, op->msg.hdr.n, ' ');
    }
    take_number(&left, op->msg.hdr.n + op->msg.payload.n, '\r');
    take_bytes(&left, STR("\n"));
    take_bytes(&left, op->msg.hdr);
    take_bytes(&left, op->msg.payload);
    take_bytes(&left, STR("\r\n"));
    ENSURE(left.n == 0);
}

static void put_op(struct buf *out, const struct op *op)
{
    static const char *const names[VERB_COUNT] = {
        [VERB_CONNECT] = "CONNECT", [VERB_PING] = "PING", [VERB_PONG] = "PONG", [VERB_SUB] = "SUB",
        [VERB_UNSUB] = "UNSUB",     [VERB_PUB] = "PUB",   [VERB_HPUB] = "HPUB", [VERB_OK] = "+OK",
        [VERB_ERR] = "-ERR",        [VERB_INFO] = "INFO",
    };

    ENSURE(op->verb < VERB_COUNT);
    buf_add(out, str_of(names[op->verb]));
    switch (op->verb) {
    case VERB_SUB:
        put(out, op->subject);
        put(out, op->queue);
        put(out, op->sid);
        break;
    case VERB_UNSUB:
        put(out, op->sid);
        buf_printf(out, "%u", op->max);
        break;
    case VERB_PUB:
    case VERB_HPUB:
        put(out, op->msg.subject);
        put(out, op->msg.reply);
        put(out, op->msg.hdr);
        put(out, op->msg.payload);
        buf_add(out, op->msg.wire.p ? STR("w") : STR(""));
        check_wire(op);
        break;
    case VERB_CONNECT:
    case VERB_ERR:
    case VERB_INFO:
        put(out, op->arg);
        break;
    default:
        break;
    }
    buf_add_char(out, ' ');
}

/* Takes all operations off `in`. */
static enum parse_result run_piece(struct parser *p, struct str *in, struct buf *out)
{
    for (;;) {
        struct str before = *in;
        struct op op = {0};
        enum parse_result r = parse_next(p, in, &op);

        ENSURE(in->n <= before.n && in->p + in->n == before.p + before.n);
        if (r != PARSE_OP) {
            ENSURE(p->need == 0 || r == PARSE_TOO_BIG || (r == PARSE_MORE && p->need > in->n));
            return r;
        }
        ENSURE(in->n < before.n);
        put_op(out, &op);
    }
}

void parse_run(struct parser *p, struct str in, const size_t *cuts, size_t n_cuts, struct buf *out)
{
    enum parse_result r = PARSE_MORE;
    char *left = NULL; // what the last piece left unfinished
    size_t left_n = 0;
    size_t need = 0;
    size_t from = 0;

    for (size_t i = 0; i <= n_cuts && r == PARSE_MORE; i++) {
        size_t to = i < n_cuts ? cuts[i] : in.n;
        char *block;
        struct str rest;

        if (to <= from || to > in.n) {
            continue;
        }
        block = mem_alloc(left_n + to - from);
        if (left_n) {
            memcpy(block, left, left_n);
        }
        memcpy(block + left_n, in.p + from, to - from);
        rest = (struct str){.p = block, .n = left_n + to - from};
        r = run_piece(p, &rest, out);
        ENSURE(!need || r != PARSE_MORE || rest.p != block || p->need == need);
        need = p->need;
        mem_free(left);
        left = rest.n ? mem_alloc(rest.n) : NULL;
        left_n = rest.n;
        if (left) {
            memcpy(left, rest.p, rest.n);
        }
        mem_free(block);
        from = to;
    }
    mem_free(left);
    if (r == PARSE_MORE) {
        buf_printf(out, "+%zu", left_n);
    } else {
        buf_add(out, str_of(parse_run_name(r)));
    }
}
