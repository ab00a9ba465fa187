/* SPDX-License-Identifier: Apache-2.0 */
/* Options of documents: from query strings with the texts of nats-server's errors (spec 07 §2), and
 * from JSON. */
#include "monitor/doc_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "monitor/doc.h"
#include "monitor/query.h"

struct options {
    bool on;
    int64_t limit;
    uint64_t cid;
    struct str user, filter;
    enum doc_detail subs;
    enum doc_state state;
};

static const struct doc_option rows[] = {
    {"on", "on", DOC_OPTION_BOOL, offsetof(struct options, on), 0},
    {"limit", "limit", DOC_OPTION_INT, offsetof(struct options, limit), 0},
    {"cid", "cid", DOC_OPTION_UINT, offsetof(struct options, cid), 0},
    {"user", "user", DOC_OPTION_STR, offsetof(struct options, user), 0},
    {NULL, "filter_subject", DOC_OPTION_STR, offsetof(struct options, filter), 0},
    {"subs", "subscriptions", DOC_OPTION_DETAIL, offsetof(struct options, subs), DOC_DETAIL_NAMES},
    {NULL, "subscriptions_detail", DOC_OPTION_DETAIL, offsetof(struct options, subs),
     DOC_DETAIL_ALL},
    {"state", "state", DOC_OPTION_STATE, offsetof(struct options, state), 0},
};

static const struct doc doc = {
    .options = rows, .n_options = ARRAY_SIZE(rows), .options_bytes = sizeof(struct options)};

typedef bool (*read_fn)(struct query *q, struct str text);

static struct query *read_good(read_fn fn, const char *text)
{
    struct query *q = query_new(NULL, &doc, NULL, NULL);

    assert_true(fn(q, str_of(text)));
    assert_int_equal(q->error.n, 0);
    return q;
}

static void expect_error(read_fn fn, const char *text, const char *why)
{
    struct query *q = query_new(NULL, &doc, NULL, NULL);

    assert_false(fn(q, str_of(text)));
    assert_int_equal(q->status, 400);
    buf_add_char(&q->error, '\0');
    if (why) {
        assert_string_equal(q->error.p, why);
    }
    query_free(q);
}

static void test_query_string(void **state)
{
    struct query *q = read_good(doc_options_from_query_string,
                                "on=T&limit=-5&cid=18446744073709551615&user=a+b%26&subs=1&state="
                                "CLOSED&x=y&filter_subject=z");
    const struct options *o = q->options;

    (void)state;
    assert_true(o->on);
    assert_int_equal(o->limit, -5);
    assert_true(o->cid == UINT64_MAX);
    assert_true(str_equal(o->user, STR("a b&")));
    assert_int_equal(o->subs, DOC_DETAIL_NAMES);
    assert_int_equal(o->state, DOC_STATE_CLOSED);
    assert_int_equal(o->filter.n, 0);
    query_free(q);
}

static void test_query_string_first_counts(void **state)
{
    struct query *q = read_good(doc_options_from_query_string,
                                "limit=1&limit=x&on=&on=1&cid=%zz&cid=7&subs=DETAIL&state=any");
    const struct options *o = q->options;

    (void)state;
    assert_int_equal(o->limit, 1);
    assert_false(o->on);
    assert_int_equal(o->cid, 7);
    assert_int_equal(o->subs, DOC_DETAIL_ALL);
    assert_int_equal(o->state, DOC_STATE_ALL);
    query_free(q);
}

static void test_query_string_errors(void **state)
{
    static const char *const cases[][2] = {
        {"on=tRuE", "Error decoding boolean for 'on': strconv.ParseBool: parsing \"tRuE\": invalid "
                    "syntax"},
        {"subs=x", "Error decoding boolean for 'subs': strconv.ParseBool: parsing \"x\": invalid "
                   "syntax"},
        {"limit=1%22", "Error decoding int for 'limit': strconv.Atoi: parsing \"1\\\"\": invalid "
                       "syntax"},
        {"limit=%2B", "Error decoding int for 'limit': strconv.Atoi: parsing \"+\": invalid "
                      "syntax"},
        {"limit=9223372036854775808", "Error decoding int for 'limit': strconv.Atoi: parsing "
                                      "\"9223372036854775808\": value out of range"},
        {"limit=99999999999999999999x", "Error decoding int for 'limit': strconv.Atoi: parsing "
                                        "\"99999999999999999999x\": value out of range"},
        {"cid=-1", "Error decoding uint64 for 'cid': strconv.ParseUint: parsing \"-1\": invalid "
                   "syntax"},
        {"cid=18446744073709551616", "Error decoding uint64 for 'cid': strconv.ParseUint: parsing "
                                     "\"18446744073709551616\": value out of range"},
        {"state=FOO", "Error decoding state for FOO"},
        {"state=x&on=y", "Error decoding boolean for 'on': strconv.ParseBool: parsing \"y\": "
                         "invalid syntax"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        expect_error(doc_options_from_query_string, cases[i][0], cases[i][1]);
    }
}

static void test_json(void **state)
{
    struct query *q =
        read_good(doc_options_from_json,
                  "{\"ON\":true,\"limit\":null,\"limit\":9,\"cid\":3,\"user\":\"a\\u0062\","
                  "\"filter_subject\":\"f.>\",\"subscriptions_detail\":true,"
                  "\"subscriptions\":true,\"state\":1,\"other\":{\"x\":[1]}}");
    const struct options *o = q->options;

    (void)state;
    assert_true(o->on);
    assert_int_equal(o->limit, 9);
    assert_int_equal(o->cid, 3);
    assert_true(str_equal(o->user, STR("ab")));
    assert_true(str_equal(o->filter, STR("f.>")));
    assert_int_equal(o->subs, DOC_DETAIL_ALL);
    assert_int_equal(o->state, DOC_STATE_CLOSED);
    query_free(q);
}

static void test_json_without_options(void **state)
{
    (void)state;
    query_free(read_good(doc_options_from_json, ""));
    query_free(read_good(doc_options_from_json, "{}"));
    query_free(read_good(doc_options_from_json, "null"));
}

static void test_json_errors(void **state)
{
    static const char *const cases[] = {
        "{",
        "[]",
        "{\"on\":1}",
        "{\"limit\":\"1\"}",
        "{\"limit\":1.5}",
        "{\"cid\":-1}",
        "{\"user\":1}",
        "{\"state\":true}",
        "{} x",
        "\"x\"",
        "{\"subscriptions\":\"detail\"}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        expect_error(doc_options_from_json, cases[i], NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query_string),
        cmocka_unit_test(test_query_string_first_counts),
        cmocka_unit_test(test_query_string_errors),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_without_options),
        cmocka_unit_test(test_json_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
