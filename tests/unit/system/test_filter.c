/* SPDX-License-Identifier: Apache-2.0 */
/* Which requests are meant for a server, as a nats-server 2.15.1 decides (spec 06 §6.3). */
#include "system/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "monitor/facts.h"

static const struct monitor_facts facts = {
    .server_name = STR_INIT("golden"),
    .host = STR_INIT("127.0.0.1"),
    .tags = STR_INIT("[\"region:eu\",\"tier:g\\u006fld\"]"),
};

static void test_meant(void **state)
{
    static const struct {
        struct str text;
        bool is_meant;
    } rows[] = {
        {STR_INIT(""), true},
        {STR_INIT("{}"), true},
        {STR_INIT("null"), true},
        {STR_INIT("{\"server_name\":\"gol\"}"), true},
        {STR_INIT("{\"server_name\":\"gol\",\"exact_match\":true}"), false},
        {STR_INIT("{\"exact_match\":true,\"server_name\":\"golden\"}"), true},
        {STR_INIT("{\"server_name\":\"GOLDEN\"}"), false},
        {STR_INIT("{\"Server_Name\":\"nope\"}"), false},
        {STR_INIT("{\"server_name\":null}"), true},
        {STR_INIT("{\"server_name\":\"\",\"exact_match\":true}"), true},
        {STR_INIT("{\"server_name\":\"goldener\"}"), false},
        {STR_INIT("{\"host\":\"127.\"}"), true},
        {STR_INIT("{\"host\":\"127.\",\"exact_match\":true}"), false},
        {STR_INIT("{\"cluster\":\"c\"}"), false},
        {STR_INIT("{\"domain\":\"d\"}"), false},
        {STR_INIT("{\"tags\":[]}"), true},
        {STR_INIT("{\"tags\":[\"tier:gold\"]}"), true},
        {STR_INIT("{\"tags\":[\"TIER:GOLD\",\"region:eu\"]}"), true},
        {STR_INIT("{\"tags\":[\"tier:gold\",\"x\"]}"), false},
        {STR_INIT("{\"tags\":[\"tier\"]}"), false},
        {STR_INIT("{\"unknown\":[{\"server_name\":\"nope\"}]}"), true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf why = {0};
        bool is_meant = !rows[i].is_meant;

        assert_true(filter_read(rows[i].text, &facts, &is_meant, &why));
        if (is_meant != rows[i].is_meant) {
            fail_msg("%.*s", STR_ARG(rows[i].text));
        }
        buf_deinit(&why);
    }
}

static void test_wrong(void **state)
{
    static const struct str rows[] = {
        STR_INIT("{bad"),
        STR_INIT("[]"),
        STR_INIT("5"),
        STR_INIT("{\"server_name\":5}"),
        STR_INIT("{\"exact_match\":\"yes\"}"),
        STR_INIT("{\"tags\":\"x\"}"),
        STR_INIT("{\"tags\":[5]}"),
        STR_INIT("{\"tags\":[\"x\""),
        STR_INIT("{} {}"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf why = {0};
        bool is_meant;

        if (filter_read(rows[i], &facts, &is_meant, &why) || why.n == 0) {
            fail_msg("%.*s", STR_ARG(rows[i]));
        }
        buf_deinit(&why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meant),
        cmocka_unit_test(test_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
