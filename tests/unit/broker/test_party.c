/* SPDX-License-Identifier: Apache-2.0 */
/* What a nats-server 2.15.1 tells of those who ask and answer (spec 05 §17). */
#include "broker/party.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"

static void test_write(void **state)
{
    static const struct {
        struct party party;
        struct str json;
    } rows[] = {
        {{0}, STR_INIT("{}")},
        {{.account = STR_INIT("APP")}, STR_INIT("{\"acc\":\"APP\"}")},
        {{.account = STR_INIT("APP"), .rtt_ns = 367566},
         STR_INIT("{\"acc\":\"APP\",\"rtt\":367566}")},
        {{.account = STR_INIT("A"),
          .service = STR_INIT("B"),
          .rtt_ns = 444741,
          .server = STR_INIT("S1")},
         STR_INIT("{\"acc\":\"A\",\"svc\":\"B\",\"rtt\":444741,\"server\":\"S1\"}")},
        {{.start_ns = INT64_C(1795289192892974139),
          .host = STR_INIT("127.0.0.1"),
          .id = 9,
          .account = STR_INIT("APP"),
          .user = STR_INIT("app"),
          .name = STR_INIT("requestor"),
          .lang = STR_INIT("py"),
          .version = STR_INIT("0.0.1"),
          .rtt_ns = 367566,
          .server = STR_INIT("S1"),
          .kind = STR_INIT("Client"),
          .client_type = STR_INIT("nats")},
         STR_INIT("{\"start\":\"2026-11-21T19:26:32.892974139Z\",\"host\":\"127.0.0.1\",\"id\":9,"
                  "\"acc\":\"APP\",\"user\":\"app\",\"name\":\"requestor\",\"lang\":\"py\","
                  "\"ver\":\"0.0.1\",\"rtt\":367566,\"server\":\"S1\",\"kind\":\"Client\","
                  "\"client_type\":\"nats\"}")},
        {{.account = STR_INIT("A"),
          .rtt_ns = 1,
          .server = STR_INIT("S1"),
          .cluster = STR_INIT("C")},
         STR_INIT("{\"acc\":\"A\",\"rtt\":1,\"server\":\"S1\",\"cluster\":\"C\"}")},
        {{.account = STR_INIT("A"),
          .stop_ns = INT64_C(1795289192000000000),
          .name_tag = STR_INIT("A"),
          .kind = STR_INIT("Client")},
         STR_INIT("{\"acc\":\"A\",\"stop\":\"2026-11-21T19:26:32Z\",\"name_tag\":\"A\","
                  "\"kind\":\"Client\"}")},
        {{.name = STR_INIT("re<s>\"p\x01\r\n\xff")},
         STR_INIT("{\"name\":\"re\\u003cs\\u003e\\\"p\\u0001\\r\\n\\ufffd\"}")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf out = {0};
        struct json j = json_to(&out);

        party_write(&rows[i].party, &j);
        if (!str_equal(buf_str(&out), rows[i].json)) {
            fail_msg("got %.*s, want %.*s", STR_ARG(buf_str(&out)), STR_ARG(rows[i].json));
        }
        buf_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
