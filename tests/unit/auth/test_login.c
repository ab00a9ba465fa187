/* SPDX-License-Identifier: Apache-2.0 */
/* Who may come in: the verdicts are those of a nats-server 2.15.1 with the same settings. */
#include "auth/login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"

static void test_verdicts(void **state)
{
    static const struct {
        struct login_rules rules;
        const char *user, *pass, *token;
        bool is_required, is_in;
    } rows[] = {
        {{NULL, NULL, NULL}, NULL, NULL, NULL, false, true},
        {{"", "", ""}, "a", "b", "c", false, true},
        {{"a", "", ""}, "a", NULL, NULL, true, true},
        {{"a", "", ""}, "a", "x", NULL, true, false},
        {{"a", "", ""}, "b", NULL, NULL, true, false},
        {{"a", "", ""}, NULL, NULL, NULL, true, false},
        {{"a", "p", ""}, "a", "p", NULL, true, true},
        {{"a", "p", ""}, "a", "p", "x", true, true},
        {{"a", "p", ""}, "a", "pp", NULL, true, false},
        {{"a", "pp", ""}, "a", "p", NULL, true, false},
        {{"a", "p", ""}, "A", "p", NULL, true, false},
        {{"a", "p", ""}, NULL, NULL, "p", true, false},
        {{"", "p", ""}, NULL, NULL, NULL, false, true}, // a password alone asks for nothing
        {{"", "", "t"}, NULL, NULL, "t", true, true},
        {{"", "", "t"}, "q", "q", "t", true, true},
        {{"", "", "t"}, NULL, NULL, NULL, true, false},
        {{"", "", "t"}, NULL, "t", NULL, true, false},
        {{"a", "p", "t"}, NULL, NULL, "t", true, true}, // the token wins
        {{"a", "p", "t"}, "a", "p", NULL, true, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct login login = {.user = str_of(rows[i].user),
                              .pass = str_of(rows[i].pass),
                              .token = str_of(rows[i].token)};

        assert_int_equal(login_is_required(&rows[i].rules), rows[i].is_required);
        if (login_check(&rows[i].rules, &login) != rows[i].is_in) {
            fail_msg("row %zu", i);
        }
    }
}

static void test_bcrypt(void **state)
{
    static const char hash[] = "$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy";

    (void)state;
    assert_true(login_is_bcrypt(hash));
    assert_false(login_is_bcrypt("secret"));
    assert_false(login_is_bcrypt(""));
    assert_false(login_is_bcrypt(NULL));
    assert_false(login_has_plain_password(&(struct login_rules){.pass = hash}));
    assert_true(login_has_plain_password(&(struct login_rules){.pass = "secret"}));
    assert_false(login_has_plain_password(&(struct login_rules){.user = "a"}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_bcrypt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
