/* SPDX-License-Identifier: Apache-2.0 */
/* Header blocks: one header found, one set, all walked over. What a nats-server 2.15.1 does to
 * blocks that are well-formed when a request enters another account (spec 05 §10), and what must
 * become of others. */
#include "proto/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/mem.h"

#define FIRST "NATS/1.0\r\n"
#define INFO "Nats-Request-Info: "
#define NEW INFO "{}\r\n\r\n"

/* A copy in a block of just its size: sanitizers see over-reads. */
static struct str copy(struct str s)
{
    char *p = s.n ? mem_alloc(s.n) : NULL;

    if (s.n) {
        memcpy(p, s.p, s.n);
    }
    return (struct str){.p = p, .n = s.n};
}

static void drop(struct str s)
{
    mem_free((void *)(uintptr_t)s.p);
}

static void assert_str(struct str got, struct str want)
{
    if (!str_equal(got, want)) {
        fail_msg("got \"%.*s\", want \"%.*s\"", STR_ARG(got), STR_ARG(want));
    }
}

static void test_find(void **state)
{
    static const struct {
        struct str hdr, value;
    } rows[] = {
        {STR_INIT(FIRST "A: b\r\n\r\n"), STR_INIT("b")},
        {STR_INIT(FIRST "A: \t b c \t\r\n\r\n"), STR_INIT("b c")},
        {STR_INIT(FIRST "B: c\r\nA: b\r\nA: d\r\n\r\n"), STR_INIT("b")},
        {STR_INIT(FIRST "a: b\r\n\r\n"), STR_INIT("")},
        {STR_INIT(FIRST "AA: b\r\n\r\n"), STR_INIT("")},
        {STR_INIT(FIRST "A: b"), STR_INIT("")},
        {STR_INIT(FIRST "\r\nA: b\r\n\r\n"), STR_INIT("")},
        {STR_INIT("A: b\r\n\r\n"), STR_INIT("")},
        {STR_INIT(""), STR_INIT("")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct str hdr = copy(rows[i].hdr);

        assert_str(header_find(hdr, STR("A")), rows[i].value);
        drop(hdr);
    }
}

struct replace_row {
    struct str hdr;
    struct str want;
};

static void check_replace(const struct replace_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct str hdr = copy(rows[i].hdr);
        struct buf out = {0};

        header_replace(hdr, STR("Nats-Request-Info"), STR("{}"), &out);
        assert_str(buf_str(&out), rows[i].want);
        buf_deinit(&out);
        drop(hdr);
    }
}

/* As the Go server does it. */
static void test_replace(void **state)
{
    static const struct replace_row rows[] = {
        {STR_INIT(""), STR_INIT(FIRST NEW)},
        {STR_INIT(FIRST "\r\n"), STR_INIT(FIRST NEW)},
        {STR_INIT(FIRST "Foo: bar\r\n\r\n"), STR_INIT(FIRST "Foo: bar\r\n" NEW)},
        {STR_INIT(FIRST INFO "x\r\n\r\n"), STR_INIT(FIRST NEW)},
        {STR_INIT(FIRST "Nats-Request-Info:x\r\nA: 1\r\n\r\n"), STR_INIT(FIRST "A: 1\r\n" NEW)},
        {STR_INIT(FIRST "Nats-Request-Info:\r\n\r\n"), STR_INIT(FIRST NEW)},
        {STR_INIT(FIRST "A: 1\r\n" INFO "x\r\nb:2 \r\n" INFO "y\r\nC\r\n\r\n"),
         STR_INIT(FIRST "A: 1\r\nb:2 \r\nC\r\n" NEW)},
        {STR_INIT("NATS/1.0 503\r\n\r\n"), STR_INIT("NATS/1.0 503\r\n" NEW)},
        {STR_INIT("NATS/1.0 200 OK\r\n" INFO "z\r\nA: 1\r\n\r\n"),
         STR_INIT("NATS/1.0 200 OK\r\nA: 1\r\n" NEW)},
        {STR_INIT(FIRST "A: " INFO "x\r\n\r\n"), STR_INIT(FIRST "A: " INFO "x\r\n" NEW)},
        {STR_INIT(FIRST "X-" INFO "x\r\nNats-Request-Info-X: y\r\nNats-Request-Info\r\n\r\n"),
         STR_INIT(FIRST "X-" INFO "x\r\nNats-Request-Info-X: y\r\nNats-Request-Info\r\n" NEW)},
        {STR_INIT("gar\r\n\r\n"), STR_INIT("gar\r\n" NEW)},
        {STR_INIT(INFO "x\r\nA: 1\r\n\r\n"), STR_INIT(INFO "x\r\nA: 1\r\n" NEW)},
    };

    (void)state;
    check_replace(rows, ARRAY_SIZE(rows));
}

/* What some library would take for the header does not get through; the Go server lets it. */
static void test_replace_disguised(void **state)
{
    static const struct replace_row rows[] = {
        {STR_INIT(FIRST "nats-request-info: x\r\nNATS-REQUEST-INFO: y\r\n\r\n"),
         STR_INIT(FIRST NEW)},
        {STR_INIT(FIRST "Nats-Request-Info : x\r\n \tNats-Request-Info\t: y\r\nA: 1\r\n\r\n"),
         STR_INIT(FIRST "A: 1\r\n" NEW)},
        {STR_INIT(FIRST "A: 1\n" INFO "x\r\nB: 2\r\n\r\n"), STR_INIT(FIRST "A: 1\nB: 2\r\n" NEW)},
        {STR_INIT("NATS/1.0\n" INFO "x\nA: 1\n\n"), STR_INIT("NATS/1.0\nA: 1\n" NEW)},
        {STR_INIT(FIRST "A: 1\r\n\r\nB: 2\r\n" INFO "x\r\n\r\n"), STR_INIT(FIRST "A: 1\r\n" NEW)},
        {STR_INIT(FIRST "\n" INFO "x\r\n\r\n"), STR_INIT(FIRST NEW)},
    };

    (void)state;
    check_replace(rows, ARRAY_SIZE(rows));
}

/* What is not ended is ended; nothing is lost of it, and nothing of the payload. */
static void test_replace_unended(void **state)
{
    static const struct replace_row rows[] = {
        {STR_INIT("g"), STR_INIT("g\r\n" NEW)},
        {STR_INIT("\r\n"), STR_INIT(FIRST NEW)},
        {STR_INIT("\r"), STR_INIT(FIRST NEW)},
        {STR_INIT("\r\nA: 1\r\n\r\n"), STR_INIT(FIRST NEW)},
        {STR_INIT("NATS/1.0"), STR_INIT(FIRST NEW)},
        {STR_INIT("NATS/1.0\r"), STR_INIT(FIRST NEW)},
        {STR_INIT(FIRST), STR_INIT(FIRST NEW)},
        {STR_INIT(FIRST "A: 1"), STR_INIT(FIRST "A: 1\r\n" NEW)},
        {STR_INIT(FIRST "A: 1\r"), STR_INIT(FIRST "A: 1\r\n" NEW)},
        {STR_INIT(FIRST "A: 1\r\n"), STR_INIT(FIRST "A: 1\r\n" NEW)},
        {STR_INIT(FIRST "A: 1\r\n\r"), STR_INIT(FIRST "A: 1\r\n" NEW)},
        {STR_INIT(FIRST INFO "x"), STR_INIT(FIRST NEW)},
        {STR_INIT(FIRST INFO "x\r\n"), STR_INIT(FIRST NEW)},
        {STR_INIT(FIRST INFO "x\r"), STR_INIT(FIRST NEW)},
        {STR_INIT(FIRST "Nats-Request-Info:"), STR_INIT(FIRST NEW)},
    };

    (void)state;
    check_replace(rows, ARRAY_SIZE(rows));
}

static void test_replace_appends(void **state)
{
    struct buf out = {0};

    (void)state;
    buf_add(&out, STR("before "));
    header_replace(STR(FIRST "A: 1\r\n\r\n"), STR("B"), STR(""), &out);
    assert_str(buf_str(&out), STR("before " FIRST "A: 1\r\nB: \r\n\r\n"));
    buf_deinit(&out);
}

static void test_walk(void **state)
{
    static const struct {
        struct str hdr;
        const char *names; // one letter each
        bool is_broken;
    } rows[] = {
        {STR_INIT(FIRST "\r\n"), "", false},
        {STR_INIT(FIRST "A: 1\r\nb:\t2 \r\nC:\r\n\r\n"), "AbC", false},
        {STR_INIT("anything\r\nA: 1\r\n\r\nB: 2\r\n"), "A", false},
        {STR_INIT("NATS/1.0\nA: 1\nB: \xff\t2\n\n"), "AB", false},
        {STR_INIT(FIRST "A : 1\r\n\r\n"), "A", false},
        {STR_INIT(""), "", true},
        {STR_INIT("NATS/1.0"), "", true},
        {STR_INIT(FIRST "A: 1"), "", true},
        {STR_INIT(FIRST "A: 1\r\n"), "A", true},
        {STR_INIT(FIRST "A: 1\r\n\r"), "A", true},
        {STR_INIT(FIRST "A: 1\r\nB\r\nC: 3\r\n\r\n"), "A", true},
        {STR_INIT(FIRST "A: 1\r\n: 2\r\nC: 3\r\n\r\n"), "A", true},
        {STR_INIT(FIRST "A: 1\r\n B: 2\r\n\r\n"), "A", true},
        {STR_INIT(FIRST "A: 1\r\nB\0: 2\r\n\r\n"), "A", true},
        {STR_INIT(FIRST "A: 1\r\nB\xc3: 2\r\n\r\n"), "A", true},
        {STR_INIT(FIRST "A: 1\r\nB(: 2\r\n\r\n"), "A", true},
        {STR_INIT(FIRST "A: 1\r\nB: \0\r\n\r\n"), "A", true},
        {STR_INIT(FIRST "A: 1\r\nB: x\ry\r\n\r\n"), "A", true},
        {STR_INIT(FIRST "A: 1\r\nB: \x7f\r\n\r\n"), "A", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct str hdr = copy(rows[i].hdr);
        struct header_walk w = header_walk(hdr);
        struct header h;
        const char *name = rows[i].names;

        while (header_next(&w, &h)) {
            assert_int_equal(h.name.p[0], *name++);
        }
        assert_int_equal(*name, '\0');
        assert_int_equal(w.is_broken, rows[i].is_broken);
        drop(hdr);
    }
}

static void test_walk_values(void **state)
{
    struct header_walk w = header_walk(STR(FIRST "Ab-c:  x: y \t\r\nD:\r\n\r\n"));
    struct header h;

    (void)state;
    assert_true(header_next(&w, &h));
    assert_str(h.name, STR("Ab-c"));
    assert_str(h.value, STR("x: y"));
    assert_true(header_next(&w, &h));
    assert_str(h.name, STR("D"));
    assert_str(h.value, STR(""));
    assert_false(header_next(&w, &h));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_replace_disguised),
        cmocka_unit_test(test_replace_unended),
        cmocka_unit_test(test_replace_appends),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_walk_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
