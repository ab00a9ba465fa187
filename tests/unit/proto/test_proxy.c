/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of the PROXY protocol: the verdicts are those of a nats-server 2.15.1 (spec 04 §12.1). */
#include "proto/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/mem.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define BODY4 "\x0a\1\2\3\x0a\1\2\4\0\x6f\0\xde"

static void test_verdicts(void **state)
{
    static const struct {
        struct str in;
        enum proxy_result want;
        unsigned family;
        uint8_t last_ip;
        uint16_t port;
        const char *why;
    } rows[] = {
        {STR_INIT("PROXY TCP4 1.2.3.4 5.6.7.8 1000 2000\r\n"), PROXY_OK, 4, 4, 1000, NULL},
        {STR_INIT("PROXY TCP6 ::1 ::2 1000 2000\r\n"), PROXY_OK, 6, 1, 1000, NULL},
        {STR_INIT("PROXY UNKNOWN\r\n"), PROXY_OK, 0, 0, 0, NULL},
        {STR_INIT("PROXY UNKNOWN foo bar\r\n"), PROXY_OK, 0, 0, 0, NULL},
        {STR_INIT("PROXY  TCP4 1.2.3.4 1.2.3.5 1 2\r\n"), PROXY_OK, 4, 4, 1, NULL},
        {STR_INIT("PROXY TCP4 ::1 ::2 1 2\r\n"), PROXY_BAD, 0, 0, 0,
         "invalid PROXY protocol header: TCP4 with IPv6 address"},
        {STR_INIT("PROXY TCP6 1.2.3.4 1.2.3.5 1 2\r\n"), PROXY_BAD, 0, 0, 0,
         "invalid PROXY protocol header: TCP6 with IPv4 address"},
        {STR_INIT("PROXY TCP5 1.2.3.4 1.2.3.5 1 2\r\n"), PROXY_BAD, 0, 0, 0,
         "invalid PROXY protocol header: invalid protocol TCP5"},
        {STR_INIT("PROXY TCP4 1.2.3.4 1.2.3.5 x 2\r\n"), PROXY_BAD, 0, 0, 0,
         "invalid source port: strconv.ParseUint: parsing \"x\": invalid syntax"},
        {STR_INIT("PROXY TCP4 1.2.3.4 1.2.3.5 1 y\r\n"), PROXY_BAD, 0, 0, 0,
         "invalid dest port: strconv.ParseUint: parsing \"y\": invalid syntax"},
        {STR_INIT("PROXY TCP4 1.2.3.4 1.2.3.5 70000 2\r\n"), PROXY_BAD, 0, 0, 0,
         "invalid source port: strconv.ParseUint: parsing \"70000\": value out of range"},
        {STR_INIT("PROXY TCP4 1.2.3 1.2.3.5 1 2\r\n"), PROXY_BAD, 0, 0, 0,
         "invalid PROXY protocol header: invalid address"},
        {STR_INIT("PROXY TCP4 1.2.3.4 1.2.3.5 1\r\n"), PROXY_BAD, 0, 0, 0,
         "invalid PROXY protocol header: invalid v1 format"},
        {STR_INIT("PROXY TCP4 1.2.3.4 1.2.3.5 1 2 3\r\n"), PROXY_BAD, 0, 0, 0,
         "invalid PROXY protocol header: invalid v1 format"},
        {STR_INIT("PROXY TCP4 1.2.3.4 1.2.3.5 1 2\n"), PROXY_BAD, 0, 0, 0,
         "invalid PROXY protocol header: invalid v1 format"},
        {STR_INIT("PROXY \r\n"), PROXY_BAD, 0, 0, 0,
         "invalid PROXY protocol header: invalid v1 format"},
        {STR_INIT("PROXX TCP4"), PROXY_NONE, 0, 0, 0, NULL},
        {STR_INIT("proxy tcp4 1.2.3.4 1.2.3.5 1 2\r\n"), PROXY_NONE, 0, 0, 0, NULL},
        {STR_INIT("PUB a 1\r\nx\r\n"), PROXY_NONE, 0, 0, 0, NULL},
        {STR_INIT("\r\nPING"), PROXY_NONE, 0, 0, 0, NULL},
        {STR_INIT(""), PROXY_MORE, 0, 0, 0, NULL},
        {STR_INIT("P"), PROXY_MORE, 0, 0, 0, NULL},
        {STR_INIT("\r\n"), PROXY_MORE, 0, 0, 0, NULL},
        {STR_INIT("PROXY TCP4 1.2.3.4"), PROXY_MORE, 0, 0, 0, NULL},
        {STR_INIT(V2 "\x21\x11\0\x0c" BODY4), PROXY_OK, 4, 3, 111, NULL},
        {STR_INIT(V2 "\x21\x11\0\x0f" BODY4 "tlv"), PROXY_OK, 4, 3, 111, NULL},
        {STR_INIT(V2 "\x20\0\0\0"), PROXY_OK, 0, 0, 0, NULL},
        {STR_INIT(V2 "\x20\x11\0\x0c" BODY4), PROXY_OK, 0, 0, 0, NULL},
        {STR_INIT(V2 "\x21\x11\0\x0c"
                     "\x0a\1"),
         PROXY_MORE, 0, 0, 0, NULL},
        {STR_INIT(V2 "\x21\0\0\0"), PROXY_BAD, 0, 0, 0,
         "unsupported PROXY protocol feature: only STREAM protocol supported"},
        {STR_INIT(V2 "\x11\x11\0\x0c" BODY4), PROXY_BAD, 0, 0, 0,
         "invalid PROXY protocol header: invalid version 0x10"},
        {STR_INIT(V2 "\x22\x11\0\x0c" BODY4), PROXY_BAD, 0, 0, 0,
         "unknown PROXY protocol command: 0x02"},
        {STR_INIT(V2 "\x21\x12\0\x0c" BODY4), PROXY_BAD, 0, 0, 0,
         "unsupported PROXY protocol feature: only STREAM protocol supported"},
        {STR_INIT(V2 "\x21\x51\0\x0c" BODY4), PROXY_BAD, 0, 0, 0,
         "unsupported PROXY protocol feature: unsupported address family 0x50"},
        {STR_INIT(V2 "\x21\x11\0\x02"
                     "\x0a\1"),
         PROXY_BAD, 0, 0, 0, "IPv4 address data too short: 2 bytes"},
        {STR_INIT(V2 "\x21\x21\0\x0c" BODY4), PROXY_BAD, 0, 0, 0,
         "IPv6 address data too short: 12 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct proxy_header h;
        char why[PROXY_WHY_MAX] = "";

        assert_int_equal(proxy_parse(rows[i].in, &h, why), rows[i].want);
        if (rows[i].want == PROXY_OK) {
            assert_int_equal(h.n, rows[i].in.n);
            assert_int_equal(h.family, rows[i].family);
            assert_int_equal(h.port, rows[i].port);
            assert_int_equal(h.family == 6 ? h.ip[15] : h.ip[3], rows[i].last_ip);
        }
        if (rows[i].why) {
            assert_string_equal(why, rows[i].why);
        }
    }
}

static void test_too_long_a_line(void **state)
{
    char line[PROXY_LINE_MAX + 1] = "PROXY TCP4 ";
    struct proxy_header h;
    char why[PROXY_WHY_MAX];

    (void)state;
    memset(line + 11, '1', sizeof(line) - 11);
    assert_int_equal(proxy_parse((struct str){line, PROXY_LINE_MAX - 1}, &h, why), PROXY_MORE);
    assert_int_equal(proxy_parse((struct str){line, PROXY_LINE_MAX}, &h, why), PROXY_BAD);
    assert_string_equal(why, "invalid PROXY protocol header: v1 line too long");
}

/* However a header is cut off, the verdict is that more is needed; nothing beyond is looked at. */
static void test_every_prefix(void **state)
{
    static const struct str whole[] = {
        STR_INIT("PROXY TCP4 1.2.3.4 5.6.7.8 1000 2000\r\n"),
        STR_INIT(V2 "\x21\x11\0\x0c" BODY4),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
        for (size_t n = 0; n < whole[i].n; n++) {
            char *cut = mem_strndup(whole[i].p, n);
            char *exact = memcpy(mem_alloc(n), cut, n);
            struct proxy_header h;
            char why[PROXY_WHY_MAX];

            assert_int_equal(proxy_parse((struct str){exact, n}, &h, why), PROXY_MORE);
            mem_free(cut);
            mem_free(exact);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_too_long_a_line),
        cmocka_unit_test(test_every_prefix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
