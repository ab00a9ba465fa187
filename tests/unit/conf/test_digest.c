/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of a configuration (spec 03 A17). */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attr.h"
#include "conf/parse.h"

static void digest_of(struct str text, char out[CONF_DIGEST_MAX])
{
    struct conf_tree tree;
    struct diag d = {0};

    assert_int_equal(conf_parse_text("t.conf", text, &tree, &d), ST_OK);
    conf_digest(tree.root, out);
    conf_tree_deinit(&tree);
    diag_deinit(&d);
}

/* The digest of a text is that of this JSON. */
static void check(struct str text, struct str json)
{
    char digest[CONF_DIGEST_MAX];
    unsigned char sum[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof(sum) + 1];
    struct buf line = {0};

    buf_add(&line, json);
    buf_add_char(&line, '\n');
    crypto_hash_sha256(sum, (const unsigned char *)line.p, line.n);
    buf_deinit(&line);
    sodium_bin2hex(hex, sizeof(hex), sum, sizeof(sum));
    digest_of(text, digest);
    if (!str_starts_with(str_of(digest), STR("sha256:")) ||
        !str_equal(str_of(digest + sizeof("sha256:") - 1), str_of(hex))) {
        fail_msg("%.*s: not the digest of %.*s", STR_ARG(text), STR_ARG(json));
    }
}

static void test_reference(void **state)
{
    static const char want[] = // from nats-server 2.15.1
        "sha256:1f479d37b6215897f4394c6ebc8d2fa01c5c3469381b2842b5c1f3d84b929754";
    char digest[CONF_DIGEST_MAX];

    (void)state;
    digest_of(STR("port: 14333"), digest);
    assert_string_equal(digest, want);
}

static void test_layout_c04(void **state)
{
    static const char *const texts[] = {
        "{\"a\": 1, \"b\": {\"c\": \"x\", \"d\": [true, \"y\"]}}",
        "a 1\nb {\n c = x # c\n d [\n yes\n y ]\n}\n",
        "b {d [on, 'y'], c: 'x'}; a: 1\r\n",
        "b: 7\na: 0\n{ a: 1 } b { d: [ true / \"y\" ], // d\n c x },",
    };
    char first[CONF_DIGEST_MAX];
    char digest[CONF_DIGEST_MAX];

    (void)state;
    digest_of(str_of(texts[0]), first);
    for (size_t i = 1; i < ARRAY_SIZE(texts); i++) {
        digest_of(str_of(texts[i]), digest);
        assert_string_equal(digest, first);
    }
    digest_of(STR("a 1, b {c x, d [true, y], A 1}"), digest);
    assert_string_not_equal(digest, first);
}

static void test_json(void **state)
{
    (void)state;
    check(STR(""), STR("{}"));
    check(STR("b: 1, a: -2, B: 0"), STR("{\"B\":0,\"a\":-2,\"b\":1}"));
    check(STR("a [], b {}, c [[], {}]"), STR("{\"a\":[],\"b\":{},\"c\":[[],{}]}"));
    check(STR("P: x, a: $P"), STR("{\"P\":\"x\",\"a\":\"x\"}"));
    check(STR("a: 2020-01-02T03:04:05Z, b: 0000-12-31T00:00:00Z"),
          STR("{\"a\":\"2020-01-02T03:04:05Z\",\"b\":\"0000-12-31T00:00:00Z\"}"));
    check(STR("\xf0\x90\x80\x80: 1, \xef\xbd\x81: 2, \xff: 3, \xef\xbf\xbe: 4"),
          STR("{\"\xef\xbd\x81\":2,\"\xef\xbf\xbe\":4,\"\xf0\x90\x80\x80\":1,"
              "\"\xef\xbf\xbd\":3}"));
}

static void test_strings_c05(void **state)
{
    (void)state;
    check(STR("a: '<&>', <: 1"), STR("{\"\\u003c\":1,\"a\":\"\\u003c\\u0026\\u003e\"}"));
    check(STR("a: '\xc3\xa9\x7f\xe2\x80\xa8\xe2\x80\xa9'"),
          STR("{\"a\":\"\xc3\xa9\x7f\\u2028\\u2029\"}"));
    check(STR("a: \"\\x00\\x01\\x1f\\x08\\x0c\\t\\n\\r\\\"\\\\\""),
          STR("{\"a\":\"\\u0000\\u0001\\u001f\\b\\f\\t\\n\\r\\\"\\\\\"}"));
    check(STR("a: '\xe2\x82', b: \"x\\xffy\""),
          STR("{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\",\"b\":\"x\xef\xbf\xbdy\"}"));
}

static void test_floats(void **state)
{
    static const char *const rows[][2] = {
        {"1.0", "1"},
        {"-0.0", "-0"},
        {"0.10", "0.1"},
        {"-2.25", "-2.25"},
        {"100.5", "100.5"},
        {"0.000001", "0.000001"},
        {"0.0000001", "1e-7"},
        {"0.00000012345", "1.2345e-7"},
        {"100000000000000000000.0", "100000000000000000000"},
        {"1000000000000000000000.0", "1e+21"},
        {"123456789012345678901.5", "123456789012345680000"},
        {"123456789012345678901234567890.0", "1.2345678901234568e+29"},
        {"0.30000000000000004", "0.30000000000000004"},
        {"3.14159265358979", "3.14159265358979"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[64];
        char json[64];

        snprintf(text, sizeof(text), "a: %s", rows[i][0]);
        snprintf(json, sizeof(json), "{\"a\":%s}", rows[i][1]);
        check(str_of(text), str_of(json));
    }
}

static void test_depth_and_size(void **state)
{
    enum { DEPTH = 100000 };
    struct buf text = {0};
    struct buf json = {0};

    (void)state;
    buf_add(&text, STR("a "));
    buf_add(&json, STR("{\"a\":"));
    for (int i = 0; i < DEPTH; i++) {
        buf_add_char(&text, '[');
        buf_add_char(&json, '[');
    }
    for (int i = 0; i < DEPTH; i++) {
        buf_add_char(&text, ']');
        buf_add_char(&json, ']');
    }
    buf_add_char(&json, '}');
    check(buf_str(&text), buf_str(&json));
    buf_deinit(&text);
    buf_deinit(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference), cmocka_unit_test(test_layout_c04),
        cmocka_unit_test(test_json),      cmocka_unit_test(test_strings_c05),
        cmocka_unit_test(test_floats),    cmocka_unit_test(test_depth_and_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
