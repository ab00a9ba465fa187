/* SPDX-License-Identifier: Apache-2.0 */
/* proto/parse.h: the lexical rules of spec 01 §2, §3 and §14. Every input is parsed at once, cut in
 * two at every byte, and byte by byte, with the same outcome. */
#include "proto/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "parse_run.h"

#define MAX_LINE 40u
#define MAX_PAYLOAD 100

struct row {
    struct str in;
    const char *out;
};

/** A row whose input is a string literal, NUL bytes included. */
#define ROW(in_, out_) {.in = {.p = in_, .n = sizeof(in_) - 1}, .out = out_}

static const struct parser usual = {
    .max_line_bytes = MAX_LINE, .max_payload_bytes = MAX_PAYLOAD, .has_headers = true};

static void check_cuts(const struct parser *setup, struct str in, const char *wanted,
                       const size_t *cuts, size_t n_cuts)
{
    struct parser p = *setup;
    struct buf out = {0};

    parse_run(&p, in, cuts, n_cuts, &out);
    if (!str_equal(buf_str(&out), str_of(wanted))) {
        fail_msg("%.*s (%zu cuts, first %zu): %.*s, not %s", STR_ARG(in), n_cuts,
                 n_cuts ? cuts[0] : 0, STR_ARG(buf_str(&out)), wanted);
    }
    buf_deinit(&out);
}

static void check(const struct parser *setup, struct str in, const char *wanted)
{
    size_t *every = mem_alloc(in.n * sizeof(*every));

    check_cuts(setup, in, wanted, NULL, 0);
    for (size_t i = 0; i < in.n; i++) {
        every[i] = i;
        check_cuts(setup, in, wanted, &i, 1);
    }
    check_cuts(setup, in, wanted, every, in.n);
    mem_free(every);
}

static void check_rows(const struct parser *setup, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        check(setup, rows[i].in, rows[i].out);
    }
}

static void test_verbs(void **state)
{
    static const struct row rows[] = {
        ROW("", "+0"),
        ROW("PING\r\n", "PING +0"),
        ROW("pong\r\n", "PONG +0"),
        ROW("+ok\r\n", "+OK +0"),
        ROW("cOnNeCt {}\r\n", "CONNECT[{}] +0"),
        ROW("CONNECT{\"a\":1}\r\n", "CONNECT[{\"a\":1}] +0"),
        ROW("CONNECT\t \t{} \r\n", "CONNECT[{} ] +0"),
        ROW("CONNECT\r\n", "CONNECT[] +0"),
        ROW("INFO {}\r\n", "INFO[{}] +0"),
        ROW("info{}\n", "INFO[{}] +0"),
        ROW("-ERR 'no'\r\n", "-ERR['no'] +0"),
        ROW("-ERR\r\n", "unknown"),
        ROW("sUb a 1\r\nuNsUB 1\r\npUb a 0\r\n\r\nhPuB a 0 0\r\n\r\n",
            "SUB[a][][1] UNSUB[1]0 PUB[a][][][]w HPUB[a][][][]w +0"),
        // complete before anything is behind them, or not yet
        ROW("PING", "+4"),
        ROW("SUB", "+3"),
        ROW("SUB a 1", "+7"),
        ROW("SUB a 1\r", "+8"),
        ROW("PI", "+2"),
    };

    (void)state;
    check_rows(&usual, rows, ARRAY_SIZE(rows));
}

static void test_unknown(void **state)
{
    static const struct row rows[] = {
        ROW(" PING\r\n", "unknown"),
        ROW("\r\nPING\r\n", "unknown"),
        ROW("\nPING\r\n", "unknown"),
        ROW("PING\r\n\r\n", "PING unknown"),
        ROW("PINX\r\n", "unknown"),
        ROW("PUX", "unknown"),
        ROW("X", "unknown"),
        ROW("\0", "unknown"),
        ROW("\xff", "unknown"),
        ROW("SUB\r\n", "unknown"),
        ROW("PUB\r\n", "unknown"),
        ROW("UNSUB\r\n", "unknown"),
        ROW("HPUB\r\n", "unknown"),
        ROW("SUBx", "unknown"),
        ROW("SUB\n", "unknown"),
        ROW("+O+", "unknown"),
        ROW("-ERX", "unknown"),
        // verbs between servers
        ROW("MSG a 1 0\r\n\r\n", "unknown"),
        ROW("HMSG a 1 0 0\r\n\r\n", "unknown"),
        ROW("RMSG x\r\n", "unknown"),
        ROW("LMSG x\r\n", "unknown"),
        ROW("RS+ x\r\n", "unknown"),
        ROW("LS- x\r\n", "unknown"),
        ROW("A+ x\r\n", "unknown"),
    };

    (void)state;
    check_rows(&usual, rows, ARRAY_SIZE(rows));
}

static void test_line_ends(void **state)
{
    static const struct row rows[] = {
        ROW("PING\n", "PING +0"),
        ROW("PINGxyz\r\n", "PING +0"),
        ROW("PING foo bar\r\r\r\nPONG 1\n+OK whatever\nPING\n", "PING PONG +OK PING +0"),
        ROW("SUB a 1\nSUB b 2\r\n", "SUB[a][][1] SUB[b][][2] +0"),
        ROW("UNSUB 1\n", "UNSUB[1]0 +0"),
        ROW("PUB a 1\nx\r\n", "PUB[a][][][x] +0"),
        ROW("HPUB a 0 1\nx\r\n", "HPUB[a][][][x] +0"),
        ROW("CONNECT {}\n", "CONNECT[{}] +0"),
        // one CR before the LF goes, no other
        ROW("CONNECT {}\r\r\n", "CONNECT[{}\r] +0"),
        ROW("-ERR a\rb\r\n", "-ERR[a\rb] +0"),
    };
    struct buf longest = {0};

    (void)state;
    check_rows(&usual, rows, ARRAY_SIZE(rows));
    // without limit in length
    buf_add(&longest, STR("PING"));
    for (unsigned i = 0; i < 10 * MAX_LINE; i++) {
        buf_add_char(&longest, 'x');
    }
    buf_add(&longest, STR("\r\nPONG\r\n"));
    check(&usual, buf_str(&longest), "PING PONG +0");
    buf_deinit(&longest);
}

static void test_sub(void **state)
{
    static const struct row rows[] = {
        ROW("SUB a 1\r\n", "SUB[a][][1] +0"),
        ROW("SUB a q 1\r\n", "SUB[a][q][1] +0"),
        ROW("SUB\t a  \t q\t\t1 \t\r\n", "SUB[a][q][1] +0"),
        ROW("SUB a\rq\r1\r\n", "SUB[a][q][1] +0"), // CR separates as well
        ROW("SUB a..b q..> !\r\n", "SUB[a..b][q..>][!] +0"),
        ROW("SUB \xff\x01 1\r\n", "SUB[\xff\x01][][1] +0"),
        ROW("SUB  \r\n", "bad args"),
        ROW("SUB \r\n", "bad args"),
        ROW("SUB \n", "bad args"),
        ROW("SUB a\r\n", "bad args"),
        ROW("SUB a q 1 x\r\n", "bad args"),
        ROW("SUB a q 1 x y z\r\n", "bad args"),
    };

    (void)state;
    check_rows(&usual, rows, ARRAY_SIZE(rows));
}

static void test_unsub(void **state)
{
    static const struct row rows[] = {
        ROW("UNSUB 1\r\n", "UNSUB[1]0 +0"),
        ROW("UNSUB 1 5\r\n", "UNSUB[1]5 +0"),
        ROW("UNSUB \t 1 \t 5 \r\n", "UNSUB[1]5 +0"),
        ROW("UNSUB 1\r5\r\n", "UNSUB[1]5 +0"),
        ROW("UNSUB 1 0\r\n", "UNSUB[1]0 +0"),
        ROW("UNSUB 1 007\r\n", "UNSUB[1]7 +0"),
        ROW("UNSUB 1 999999999\r\n", "UNSUB[1]999999999 +0"),
        // what is no number of up to nine digits means: at once
        ROW("UNSUB 1 1000000000\r\n", "UNSUB[1]0 +0"),
        ROW("UNSUB 1 x\r\n", "UNSUB[1]0 +0"),
        ROW("UNSUB 1 -1\r\n", "UNSUB[1]0 +0"),
        ROW("UNSUB 1 5x\r\n", "UNSUB[1]0 +0"),
        ROW("UNSUB \r\n", "bad args"),
        ROW("UNSUB 1 2 3\r\n", "bad args"),
    };

    (void)state;
    check_rows(&usual, rows, ARRAY_SIZE(rows));
}

static void test_pub(void **state)
{
    static const struct row rows[] = {
        ROW("PUB a 5\r\nhello\r\n", "PUB[a][][][hello]w +0"),
        ROW("PUB a r 5\r\nhello\r\n", "PUB[a][r][][hello]w +0"),
        ROW("PUB a 0\r\n\r\n", "PUB[a][][][]w +0"),
        ROW("PUB a  5 \t\r\nhello\r\n", "PUB[a][][][hello] +0"),
        ROW("PUB\ta\tr\t5\r\nhello\r\n", "PUB[a][r][][hello] +0"),
        ROW("PUB  a r 5\r\nhello\r\n", "PUB[a][r][][hello]w +0"),
        ROW("PUB a  r 5\r\nhello\r\n", "PUB[a][r][][hello]w +0"), // only what comes after a matters
        ROW("PUB a r  5\r\nhello\r\n", "PUB[a][r][][hello] +0"),
        ROW("PUB a r 5 \r\nhello\r\n", "PUB[a][r][][hello] +0"),
        ROW("PUB a..b a..b 2\r\n\r\n\r\n", "PUB[a..b][a..b][][\r\n]w +0"),
        ROW("PUB a 7\r\nPING\r\n1\r\nPING\r\n", "PUB[a][][][PING\r\n1]w PING +0"),
        ROW("PUB a 5\r\nhello\r", "+15"),
        ROW("PUB a 5\r\nhello", "+14"),
        ROW("PUB a 5\r\n", "+9"),
        ROW("PUB a 5\r\nhello\n", "unknown"),
        ROW("PUB a 5\r\nhellox", "unknown"),
        ROW("PUB a 5\r\nhello\rx", "unknown"),
        ROW("PUB a 5\r\nhell\r\nPING\r\n", "unknown"),
        ROW("PUB \r\n", "bad args"),
        ROW("PUB a\r\n", "bad args"),
        ROW("PUB a r x 5\r\n", "bad args"),
        ROW("PUB a b c d e f\r\n", "bad args"),
        ROW("PUB a -1\r\n", "bad args"),
        ROW("PUB a +1\r\n", "bad args"),
        ROW("PUB a 1x\r\n", "bad args"),
        ROW("PUB a 0x1\r\n", "bad args"),
        ROW("PUB a 1000000000\r\n", "bad args"),
        ROW("PUB a 0000000001\r\n", "bad args"),
        ROW("PUB a 101\r\n", "too big"),
        ROW("PUB a 999999999\r\n", "too big"),
        ROW("PUB a\r1\r\nx\r\n", "bad args"), // here CR does not separate
    };
    struct parser any_size = usual;

    (void)state;
    check_rows(&usual, rows, ARRAY_SIZE(rows));
    any_size.max_payload_bytes = -1;
    check(&any_size, STR("PUB a 999999999\r\nx"), "+18");
}

/* A size with leading zeros is a size; its digits may or may not be taken over. */
static void test_leading_zeros(void **state)
{
    struct str in = STR("PUB a 000000005\r\nhello\r\n");
    struct parser p = usual;
    struct op op;

    (void)state;
    assert_int_equal(parse_next(&p, &in, &op), PARSE_OP);
    assert_true(str_equal(op.msg.payload, STR("hello")));
    assert_int_equal(in.n, 0);
}

static void test_hpub(void **state)
{
    static const struct row rows[] = {
        ROW("HPUB a 12 17\r\nNATS/1.0\r\n\r\nhello\r\n", "HPUB[a][][NATS/1.0\r\n\r\n][hello]w +0"),
        ROW("HPUB a r 12 12\r\nNATS/1.0\r\n\r\n\r\n", "HPUB[a][r][NATS/1.0\r\n\r\n][]w +0"),
        ROW("HPUB a r 0 3\r\nabc\r\n", "HPUB[a][r][][abc] +0"),
        ROW("HPUB a 2  3\r\nabc\r\n", "HPUB[a][][ab][c] +0"), // headers are not looked into
        ROW("HPUB a 4 3\r\nabc\r\n", "bad args"),
        ROW("HPUB a 3\r\nabc\r\n", "bad args"),
        ROW("HPUB a r x 1 3\r\nabc\r\n", "bad args"),
        ROW("HPUB a x 3\r\nabc\r\n", "bad args"),
        ROW("HPUB a 1 x\r\nabc\r\n", "bad args"),
        ROW("HPUB a 1 101\r\n", "too big"),
        ROW("HPUB a 1 3\r\nabcd", "unknown"),
    };
    struct parser no_headers = usual;

    (void)state;
    check_rows(&usual, rows, ARRAY_SIZE(rows));
    no_headers.has_headers = false;
    check(&no_headers, STR("HPUB a 1 3\r\nabc\r\n"), "bad args");
}

/* A line of `verb`, blanks, and n bytes of arguments, with a line end. */
static struct buf make_line(const char *verb, size_t n, const char *end)
{
    struct buf b = {0};

    buf_add(&b, str_of(verb));
    buf_add(&b, STR(" \t "));
    for (size_t i = 0; i < n; i++) {
        buf_add_char(&b, i == 1 ? ' ' : 'x');
    }
    buf_add(&b, str_of(end));
    return b;
}

/* The limit is on the arguments, from the first byte that is not blank to the CR. */
static void test_line_limit(void **state)
{
    static const char *const verbs[] = {"SUB", "UNSUB", "PUB", "HPUB", "CONNECT", "INFO", "-ERR"};
    static const char *const ends[] = {"\r\n", "\n"};

    (void)state;
    for (unsigned v = 0; v < ARRAY_SIZE(verbs); v++) {
        for (unsigned e = 0; e < ARRAY_SIZE(ends); e++) {
            struct buf fits = make_line(verbs[v], MAX_LINE, ends[e]);
            struct buf over = make_line(verbs[v], MAX_LINE + 1, ends[e]);
            struct buf out = {0};
            struct parser p = usual;

            parse_run(&p, buf_str(&fits), NULL, 0, &out);
            buf_add_char(&out, '\0');
            assert_null(strstr(out.p, "too long"));
            check(&usual, buf_str(&fits), out.p);
            check(&usual, buf_str(&over), "line too long");
            buf_deinit(&fits);
            buf_deinit(&over);
            buf_deinit(&out);
        }
    }
    // before the LF is there
    struct buf endless = make_line("SUB", MAX_LINE + 2, "");

    check(&usual, buf_str(&endless), "line too long");
    buf_deinit(&endless);
}

static void test_connect_only(void **state)
{
    static const struct row rows[] = {
        ROW("PING\r\n", "auth required"),
        ROW("SUB a 1\r\n", "auth required"),
        ROW("\r\n", "auth required"),
        ROW("connect {}\r\n", "CONNECT[{}] +0"),
        ROW("CONNECT {}\r\nPING\r\n", "CONNECT[{}] auth required"),
        ROW("CONNEXT {}\r\n", "unknown"),
    };
    struct parser p = usual;

    (void)state;
    p.connect_only = true;
    check_rows(&p, rows, ARRAY_SIZE(rows));
}

/* After PARSE_MORE the parser says how long the operation is, once it can. */
static void test_need(void **state)
{
    struct str in = STR("PUB a 5\r\nhel");
    struct str line = STR("PUB a 5\r");
    struct parser p = usual;
    struct op op;

    (void)state;
    assert_int_equal(parse_next(&p, &line, &op), PARSE_MORE);
    assert_int_equal(p.need, 0);
    p = usual;
    assert_int_equal(parse_next(&p, &in, &op), PARSE_MORE);
    assert_int_equal(p.need, 16);
    assert_int_equal(in.n, 12);
}

/* Of a message that is too big the subject is known, and the headers once they are there. */
static void test_too_big(void **state)
{
    struct str early = STR("HPUB a.b r 4 2000000\r\nhdr");
    struct str in = STR("HPUB a.b r 4 2000000\r\nhdr:pay");
    struct parser p = usual;
    struct op op;

    (void)state;
    assert_int_equal(parse_next(&p, &early, &op), PARSE_TOO_BIG);
    assert_true(str_equal(op.msg.subject, STR("a.b")));
    assert_int_equal(op.msg.hdr.n, 0);
    p = usual;
    assert_int_equal(parse_next(&p, &in, &op), PARSE_TOO_BIG);
    assert_true(str_equal(op.msg.hdr, STR("hdr:")));
    assert_int_equal(p.need, 2000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verbs),         cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_line_ends),     cmocka_unit_test(test_sub),
        cmocka_unit_test(test_unsub),         cmocka_unit_test(test_pub),
        cmocka_unit_test(test_leading_zeros), cmocka_unit_test(test_hpub),
        cmocka_unit_test(test_line_limit),    cmocka_unit_test(test_connect_only),
        cmocka_unit_test(test_need),          cmocka_unit_test(test_too_big),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
