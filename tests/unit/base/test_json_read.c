/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON reader. What is JSON, and what its values are, is what Go's encoding/json says. */
#include "base/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_field.h"

#define DEEP JSON_READ_MAX_DEPTH

static bool is_json(struct str text)
{
    struct json_reader r;

    json_read_init(&r, text);
    return json_read_end(&r);
}

/* The tokens as one letter each. */
static void expect_tokens(const char *text, const char *letters)
{
    static const char letter[] = {
        [JSON_BAD] = '!',          [JSON_END] = '.',        [JSON_NULL] = 'n',
        [JSON_FALSE] = 'f',        [JSON_TRUE] = 't',       [JSON_NUMBER] = '1',
        [JSON_STRING] = 's',       [JSON_KEY] = 'k',        [JSON_OPEN_OBJECT] = '{',
        [JSON_CLOSE_OBJECT] = '}', [JSON_OPEN_ARRAY] = '[', [JSON_CLOSE_ARRAY] = ']'};
    struct json_reader r;
    char got[64];
    size_t n = 0;

    json_read_init(&r, str_of(text));
    do {
        got[n++] = letter[json_read_next(&r)];
    } while (r.token != JSON_END && r.token != JSON_BAD);
    got[n] = '\0';
    assert_string_equal(got, letters);
    assert_int_equal(json_read_next(&r), r.token); // and so it stays
}

static void test_tokens(void **state)
{
    (void)state;
    expect_tokens("null", "n.");
    expect_tokens(" [ true , false,1 ,\"x\" ] \r\n\t", "[tf1s].");
    expect_tokens("{\"a\":{\"b\":[]},\"c\" : {}}", "{k{k[]}k{}}.");
    expect_tokens("[[],[{}]]", "[[][{}]].");
    expect_tokens("{\"a\":1,}", "{k1!");
    expect_tokens("[1}", "[1!");
    expect_tokens("{\"a\":1]", "{k1!");
    expect_tokens("{} {}", "{}!");
}

static void test_not_json(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "[",
        "}",
        "]",
        "{]",
        "[}",
        "{\"a\"",
        "{a:1}",
        "{\"a\"}",
        "{1:2}",
        "{\"a\":}",
        "{,}",
        "[,]",
        "[1,]",
        "[1 2]",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "nul",
        "nulll",
        "True",
        "tru",
        "falsee",
        "\"",
        "\"a",
        "'a'",
        "\"\\\"",
        "\"\\x\"",
        "\"\\'\"",
        "\"\\u123\"",
        "\"\\u123g\"",
        "\"\t\"",
        "\"\x1f\"",
        "01",
        "-",
        "-01",
        "+1",
        ".5",
        "1.",
        "1.e1",
        "1e",
        "1e+",
        "0x1",
        "1_0",
        "NaN",
        "1;",
        "/**/1",
        "1//",
        "\xef\xbb\xbf{}",
        "\v1",
        "\f1",
        "\302\2401",
        "[1]]",
        "{}x",
        "null null",
        "\"a\"\"b\"",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (is_json(str_of(texts[i]))) {
            fail_msg("taken: %s", texts[i]);
        }
    }
    assert_false(is_json((struct str){.p = "{}\0", .n = 3}));
    assert_false(is_json((struct str){.p = "\"\0\"", .n = 3}));
    assert_false(is_json((struct str){.p = "\"\\\0\"", .n = 4}));
}

static void test_numbers(void **state)
{
    static const char *const good[] = {"0",   "-0",   "10",     "-1.50",
                                       "1e5", "1E+5", "0.0e-0", "1e99999"};
    static const struct {
        const char *text;
        bool is_int;
        int64_t value;
    } ints[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"42", true, 42},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999999", false, 0},
        {"1.0", false, 0},
        {"1e0", false, 0},
        {"\"1\"", false, 0},
        {"true", false, 0},
        {"[1]", false, 0},
    };
    struct json_reader r;
    uint64_t u = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        json_read_init(&r, str_of(good[i]));
        assert_int_equal(json_read_next(&r), JSON_NUMBER);
        assert_true(str_equal(r.raw, str_of(good[i])));
        assert_true(json_read_end(&r));
    }
    for (size_t i = 0; i < ARRAY_SIZE(ints); i++) {
        int64_t v = 77;

        json_read_init(&r, str_of(ints[i].text));
        assert_int_equal(json_read_int(&r, &v), ints[i].is_int);
        assert_int_equal(v, ints[i].is_int ? ints[i].value : 77);
    }
    json_read_init(&r, STR("18446744073709551615"));
    assert_true(json_read_uint(&r, &u));
    assert_true(u == UINT64_MAX);
    json_read_init(&r, STR("18446744073709551616"));
    assert_false(json_read_uint(&r, &u));
    json_read_init(&r, STR("-0"));
    assert_false(json_read_uint(&r, &u));
}

static void test_strings(void **state)
{
    static const struct {
        struct str text, value;
    } rows[] = {
        {STR_INIT("\"\""), STR_INIT("")},
        {STR_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), STR_INIT("\"\\/\b\f\n\r\t")},
        {STR_INIT("\"a\\u0000b\\u0041\\u00e9\\u20AC\""), STR_INIT("a\0bA\xc3\xa9\xe2\x82\xac")},
        {STR_INIT("\"\\ud83d\\udc26\""), STR_INIT("\xf0\x9f\x90\xa6")},
        {STR_INIT("\"\\ud83d\""), STR_INIT("\xef\xbf\xbd")},
        {STR_INIT("\"\\udc26x\""), STR_INIT("\xef\xbf\xbdx")},
        {STR_INIT("\"\\ud83d\\n\""), STR_INIT("\xef\xbf\xbd\n")},
        {STR_INIT("\"\\ud83d\\u0041\""), STR_INIT("\xef\xbf\xbd"
                                                  "A")},
        {STR_INIT("\"\\ud83d\\ud83d\\udc26\""), STR_INIT("\xef\xbf\xbd\xf0\x9f\x90\xa6")},
        {STR_INIT("\"\x7f\xc3\xa9\xf4\x8f\xbf\xbf\""), STR_INIT("\x7f\xc3\xa9\xf4\x8f\xbf\xbf")},
        {STR_INIT("\"\xff\""), STR_INIT("\xef\xbf\xbd")},
        {STR_INIT("\"\xe2\x82\""), STR_INIT("\xef\xbf\xbd\xef\xbf\xbd")},
        {STR_INIT("\"\xc0\x80\""), STR_INIT("\xef\xbf\xbd\xef\xbf\xbd")},
        {STR_INIT("\"\xed\xa0\x80\""), STR_INIT("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")},
    };
    struct json_reader r;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf b = {0};

        json_read_init(&r, rows[i].text);
        assert_true(json_read_str(&r, &b));
        assert_true(json_read_end(&r));
        assert_true(str_equal(buf_str(&b), rows[i].value));
        buf_deinit(&b);
    }
    json_read_init(&r, STR("5"));
    assert_false(json_read_str(&r, NULL));
}

static void test_depth(void **state)
{
    static char text[2 * (DEEP + 1)];

    (void)state;
    memset(text, '[', DEEP);
    memset(text + DEEP, ']', DEEP);
    assert_true(is_json((struct str){.p = text, .n = 2 * (size_t)DEEP}));
    assert_false(is_json((struct str){.p = text, .n = 2 * (size_t)DEEP - 1}));
    memset(text, '[', DEEP + 1);
    memset(text + DEEP + 1, ']', DEEP + 1);
    assert_false(is_json((struct str){.p = text, .n = sizeof(text)}));
}

static void test_walk(void **state)
{
    struct json_reader r;
    struct buf seen = {0};
    int64_t sum = 0;
    bool flag = false;

    (void)state;
    json_read_init(&r, STR("{\"List\":[1,[9],2,null,{}],\"skip\":{\"flag\":5},\"o\":{\"x\":3,"
                           "\"y\":null},\"none\":null,\"flag\":true}"));
    while (json_read_member(&r)) {
        json_read_key(&r, &seen);
        if (json_read_is_key(&r, STR("list"))) {
            while (json_read_element(&r)) {
                if (r.token == JSON_NUMBER) {
                    int64_t v;

                    assert_true(json_read_int(&r, &v));
                    sum += v;
                } else {
                    json_read_skip(&r);
                }
            }
        } else if (json_read_is_key(&r, STR("o"))) {
            while (json_read_member(&r)) {
                int64_t v = 0;

                assert_true(json_read_int(&r, &v));
                sum += v;
            }
        } else if (json_read_is_key(&r, STR("none"))) {
            assert_false(json_read_member(&r)); // like an empty one
        } else if (json_read_is_key(&r, STR("flag"))) {
            assert_true(json_read_bool(&r, &flag));
        } else {
            json_read_skip(&r);
        }
    }
    assert_true(json_read_end(&r));
    assert_int_equal(sum, 6);
    assert_true(flag);
    assert_true(str_equal(buf_str(&seen), STR("Listskipononeflag")));
    buf_deinit(&seen);
}

static void test_keys(void **state)
{
    static const struct {
        const char *key, *name;
        bool is_same;
    } rows[] = {
        {"verbose", "verbose", true},
        {"VERBOSE", "verbose", true},
        {"v\\u0065rbose", "verbose", true},
        {"verbo\xc5\xbf"
         "e",
         "verbose", true},
        {"\\u212Aey", "key", true},
        {"\xe2\x84\xaa"
         "ey",
         "KEY", true},
        {"verbos", "verbose", false},
        {"verbosee", "verbose", false},
        {"verbose\\u0000", "verbose", false},
        {"ver_bose", "verbose", false},
        {"", "", true},
        {"", "a", false},
        {"\xff", "a", false},
        {"a\\\\", "a\\", true},
        {"[", "{", false},
        {"@", "`", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct json_reader r;
        struct buf text = {0};

        buf_printf(&text, "{\"%s\":1}", rows[i].key);
        json_read_init(&r, buf_str(&text));
        assert_true(json_read_member(&r));
        assert_int_equal(json_read_is_key(&r, str_of(rows[i].name)), rows[i].is_same);
        buf_deinit(&text);
    }
}

/* ---- tables ---- */

struct values {
    bool flag;
    int64_t number;
    uint64_t count;
    struct str text;
    int64_t sum;
};

static bool add_up(struct json_reader *r, void *at)
{
    int64_t *sum = at;

    while (json_read_element(r)) {
        int64_t v = 0;

        if (!json_read_int(r, &v)) {
            return false;
        }
        if (v > 100) {
            json_read_refuse(r, "too large");
            return false;
        }
        *sum += v;
    }
    return r->token != JSON_BAD;
}

static const struct json_field fields[] = {
    JSON_FIELD("flag", struct values, flag),          JSON_FIELD("number", struct values, number),
    JSON_FIELD("count", struct values, count),        JSON_FIELD("text", struct values, text),
    JSON_FIELD_BY("add", struct values, sum, add_up),
};

static bool read_values(const char *text, struct values *v, struct buf *why)
{
    why->n = 0;
    bool is_ok = json_field_read_text(str_of(text), fields, ARRAY_SIZE(fields), v, why);
    buf_add_char(why, '\0');
    return is_ok;
}

static void test_fields(void **state)
{
    struct values v = {.number = 5};
    struct buf why = {0};

    (void)state;
    assert_true(read_values("null", &v, &why));
    assert_true(read_values("{}", &v, &why));
    assert_true(
        read_values("{\"FLAG\":true,\"other\":[{}],\"count\":7,\"text\":\"a\\n\"}", &v, &why));
    assert_true(v.flag);
    assert_int_equal(v.number, 5);
    assert_int_equal(v.count, 7);
    assert_true(str_equal(v.text, STR("a\n")));
    assert_true(read_values("{\"text\":\"b\",\"flag\":false,\"text\":\"c\",\"add\":[1,null,2],"
                            "\"text\":null,\"number\":null,\"add\":null}",
                            &v, &why));
    assert_false(v.flag);
    assert_true(str_equal(v.text, STR("c")));
    assert_int_equal(v.number, 5);
    assert_int_equal(v.sum, 3);
    assert_true(read_values("{\"text\":\"\"}", &v, &why));
    assert_null(v.text.p);
    assert_int_equal(v.text.n, 0);
    buf_deinit(&why);
}

static void test_errors(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"[]", "JSON, byte 1: not an object"},
        {"5", "JSON, byte 1: not an object"},
        {"{\"text\":5}", "JSON, byte 9 (text): not a string"},
        {"{\"flag\":0,\"flag\":true}", "JSON, byte 9 (flag): not true or false"},
        {"{\"Number\":1.0}", "JSON, byte 13 (number): not a 64-bit integer"},
        {"{\"count\":-1}", "JSON, byte 11 (count): not an unsigned 64-bit integer"},
        {"{\"add\":{}}", "JSON, byte 8 (add): not an array"},
        {"{\"add\":[1,\"2\"]}", "JSON, byte 13 (add): not a number"},
        {"{\"add\":[101]}", "JSON, byte 11 (add): too large"},
        {"{\"add\":[1 2]}", "JSON, byte 10 (add): neither "},
        {"{\"other\":[1,,]}", "JSON, byte 12: not a value"},
        {"{\"a\":1", "JSON, byte 6: "},
        {"{} x", "JSON, byte 3: text after the value"},
        {"null,", "JSON, byte 4: text after the value"},
    };
    struct buf why = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct values v = {0};

        assert_false(read_values(rows[i].text, &v, &why));
        if (!str_starts_with(buf_str(&why), str_of(rows[i].why))) {
            fail_msg("%s: %s", rows[i].text, why.p);
        }
        json_field_free(&v.text);
    }
    buf_deinit(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),  cmocka_unit_test(test_not_json),
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_strings),
        cmocka_unit_test(test_depth),   cmocka_unit_test(test_walk),
        cmocka_unit_test(test_keys),    cmocka_unit_test(test_fields),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
