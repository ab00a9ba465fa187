/* SPDX-License-Identifier: Apache-2.0 */
/* The list of services, and whom a subject is about. */
#include "system/services.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "monitor/doc.h"
#include "monitor/docs.h"
#include "system/request.h"

/* A subject that two services have would be answered twice. */
static void test_once(void **state)
{
    size_t n;
    struct service *list = services_new(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        assert_true(list[i].where != 0 && list[i].serve != NULL);
        assert_true(list[i].serve != serve_doc || list[i].doc != NULL);
        for (size_t k = 0; k < i; k++) {
            if ((list[i].where & list[k].where) && strcmp(list[i].name, list[k].name) == 0) {
                fail_msg("%s", list[i].name);
            }
        }
    }
    mem_free(list);
}

/* Each that has a name is served here and everywhere. */
static void test_documents(void **state)
{
    size_t n;
    struct service *list = services_new(&n);

    (void)state;
    for (size_t d = 0; d < docs_count(); d++) {
        const struct doc *doc = docs_at(d);
        size_t n_served = 0;

        for (size_t i = 0; i < n; i++) {
            n_served += list[i].doc == doc && list[i].where == (SERVICE_HERE | SERVICE_EVERYWHERE);
        }
        assert_int_equal(n_served, doc->name != NULL);
    }
    mem_free(list);
}

static void test_account(void **state)
{
    static const struct {
        struct str subject, account;
    } rows[] = {
        {STR_INIT("$SYS.REQ.ACCOUNT.A.CONNZ"), STR_INIT("A")},
        {STR_INIT("$SYS.REQ.ACCOUNT.$G.CLAIMS.UPDATE"), STR_INIT("$G")},
        {STR_INIT("$SYS.REQ.ACCOUNT.PING.STATZ"), STR_INIT("PING")},
        {STR_INIT("$SYS.REQ.ACCOUNT"), STR_INIT("")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct request r = {.subject = rows[i].subject};

        assert_true(str_equal(request_account(&r), rows[i].account));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_account),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
