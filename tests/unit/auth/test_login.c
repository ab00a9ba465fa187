/* SPDX-License-Identifier: Apache-2.0 */
/* Who may come in, and as whom: the verdicts are those of a nats-server 2.15.1 with the same
 * configuration. */
#include "auth/login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/cert_names.h"
#include "auth/secret.h"
#include "base/attr.h"
#include "broker/account.h"
#include "broker/accounts.h"
#include "conf/parse.h"

/** Rules made of a configuration. */
struct fixture {
    struct auth_options options;
    struct accounts accounts;
    struct login_rules *rules;
};

static void set_up_with(struct fixture *f, const char *text, bool is_mapping)
{
    struct option_table tables[] = {auth_options_table(&f->options), OPTION_TABLES_END};
    struct diag d = {0};
    struct option_reader r = {.d = &d};
    struct conf_tree tree = {0};

    option_set_defaults(tables);
    assert_int_equal(conf_parse_text("test.conf", str_of(text), &tree, &d), ST_OK);
    if (option_read(tables, tree.root, &r) != ST_OK) {
        fail_msg("%.*s", STR_ARG(buf_str(&d.text)));
    }
    conf_tree_deinit(&tree);
    diag_deinit(&d);
    accounts_init(&f->accounts, 2, "");
    f->rules = login_rules_new(&f->options, &f->accounts, is_mapping);
}

static void set_up(struct fixture *f, const char *text)
{
    set_up_with(f, text, false);
}

static void tear_down(struct fixture *f)
{
    struct option_table tables[] = {auth_options_table(&f->options), OPTION_TABLES_END};

    login_rules_unref(f->rules);
    accounts_deinit(&f->accounts);
    option_deinit(tables);
    *f = (struct fixture){0};
}

static void test_one_user_or_token(void **state)
{
    static const struct {
        const char *conf;
        const char *user, *pass, *token;
        bool is_required, is_in;
    } rows[] = {
        {"", NULL, NULL, NULL, false, true},
        {"authorization {}", "a", "b", "c", false, true},
        {"authorization {user: a}", "a", NULL, NULL, true, true},
        {"authorization {user: a}", "a", "x", NULL, true, false},
        {"authorization {user: a}", "b", NULL, NULL, true, false},
        {"authorization {user: a}", NULL, NULL, NULL, true, false},
        {"authorization {user: a, pass: p}", "a", "p", NULL, true, true},
        {"authorization {user: a, pass: p}", "a", "p", "x", true, true},
        {"authorization {user: a, pass: p}", "a", "pp", NULL, true, false},
        {"authorization {user: a, pass: pp}", "a", "p", NULL, true, false},
        {"authorization {user: a, pass: p}", "A", "p", NULL, true, false},
        {"authorization {user: a, pass: p}", NULL, NULL, "p", true, false},
        {"authorization {pass: p}", NULL, NULL, NULL, false, true}, // asks for nothing
        {"authorization {token: t}", NULL, NULL, "t", true, true},
        {"authorization {token: t}", "q", "q", "t", true, true},
        {"authorization {token: t}", NULL, NULL, NULL, true, false},
        {"authorization {token: t}", NULL, "t", NULL, true, false},
    };
    struct fixture f = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct login login = {.user = str_of(rows[i].user),
                              .pass = str_of(rows[i].pass),
                              .token = str_of(rows[i].token),
                              .type = CONNECTION_STANDARD};

        set_up(&f, rows[i].conf);
        assert_int_equal(login_is_required(f.rules), rows[i].is_required);
        if (login_check(f.rules, &login).is_ok != rows[i].is_in) {
            fail_msg("row %zu", i);
        }
        tear_down(&f);
    }
}

static struct login_verdict try_user(const struct fixture *f, const char *user, const char *pass)
{
    struct login login = {.user = str_of(user), .pass = str_of(pass), .type = CONNECTION_STANDARD};

    return login_check(f->rules, &login);
}

static void test_users_of_accounts(void **state)
{
    struct fixture f = {0};

    (void)state;
    set_up(&f, "accounts { A {users: [{user: a, password: x}], limits {max_subs: 7}}\n"
               "B {users: [{user: b, password: y, allowed_connection_types: [websocket]}]}}\n"
               "authorization {users: [{user: g, password: z}]}\n");
    struct login_verdict a = try_user(&f, "a", "x");
    assert_true(a.is_ok);
    assert_string_equal(a.user->account->name, "A");
    assert_int_equal(a.user->max_subscriptions, 7);
    assert_int_equal(a.user->max_payload, -1);
    assert_false(try_user(&f, "a", "y").is_ok);
    assert_false(try_user(&f, "b", "y").is_ok); // not that way
    assert_string_equal(try_user(&f, "g", "z").user->account->name, "$G");
    assert_false(try_user(&f, NULL, NULL).is_ok);
    assert_true(login_is_required(f.rules));
    assert_false(login_wants_nonce(f.rules));
    tear_down(&f);
}

static void test_nobody(void **state)
{
    struct fixture f = {0};

    (void)state;
    set_up(&f, "authorization {users: [{user: a, password: x}]}\nno_auth_user: a\n");
    assert_true(login_is_required(f.rules));
    assert_false(login_is_announced(f.rules));
    assert_true(try_user(&f, NULL, NULL).is_ok);
    assert_false(try_user(&f, NULL, "x").is_ok);
    assert_false(try_user(&f, "a", NULL).is_ok);
    tear_down(&f);

    set_up(&f, "accounts {\"$SYS\": {users: [{user: s, password: s}]}}\n"); // C-47
    assert_true(login_is_announced(f.rules));
    assert_true(try_user(&f, NULL, NULL).is_ok);
    assert_string_equal(login_anonymous(f.rules)->account->name, "$G");
    tear_down(&f);

    set_up(&f, "accounts {\"$SYS\": {users: [{user: s, password: s}]}}\nauthorization {}\n");
    assert_false(try_user(&f, NULL, NULL).is_ok);
    tear_down(&f);
}

static const struct login_user *find_subject(const struct fixture *f, const char *subject)
{
    const struct login_user *found = NULL;
    struct cert_names names = {0};

    cert_names_add_subject(&names, str_of(subject));
    for (size_t i = 0; i < names.n && !found; i++) {
        found = login_find_certified(f->rules, &names.at[i], CONNECTION_STANDARD);
    }
    cert_names_deinit(&names);
    return found;
}

/* the certificate says who it is, the password is still compared. */
static void test_certificates(void **state)
{
    struct fixture f = {0};
    struct login login = {.user = STR("a"), .type = CONNECTION_STANDARD};

    (void)state;
    set_up_with(&f,
                "authorization {users: [{user: a, password: x}, {user: \"O=o,CN=a\"},\n"
                "{user: \"CN=b\", password: y}, \n"
                "{user: \"CN=w\", allowed_connection_types: [websocket]}]}\nno_auth_user: a\n",
                true);
    assert_true(login_is_by_certificate(f.rules, &login));
    assert_null(find_subject(&f, "CN=nobody"));
    assert_null(find_subject(&f, "CN=w"));
    assert_false(login_check(f.rules, &login).is_ok); // nor as no_auth_user, nor as a
    login.certified = find_subject(&f, "CN=a,O=o");
    assert_true(login_check(f.rules, &login).is_ok);
    assert_true(str_equal(login_check(f.rules, &login).user->id, STR("O=o,CN=a")));
    login.certified = find_subject(&f, "CN=b");
    assert_false(login_check(f.rules, &login).is_ok);
    login.pass = STR("y");
    assert_true(login_check(f.rules, &login).is_ok);
    tear_down(&f);
}

/* without users the certificate names nobody. */
static void test_certificates_without_users(void **state)
{
    static const char *const confs[] = {
        "",
        "authorization {user: a, password: x}",
        "authorization {token: t}",
        "authorization {users: [{nkey: UAT5BLDFF7JTKEPEBMUL25Q455LFE3WARUENVDU7CVLZFG73U4OPV4MM}]}",
    };
    struct fixture f = {0};
    struct login login = {.user = STR("a"), .type = CONNECTION_STANDARD};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(confs); i++) {
        set_up_with(&f, confs[i], true);
        assert_false(login_is_by_certificate(f.rules, &login));
        tear_down(&f);
    }
}

static void test_bcrypt(void **state)
{
    static const char hash[] = "$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy";

    (void)state;
    assert_true(secret_is_bcrypt(hash));
    assert_true(secret_is_bcrypt("$2y$05$short"));
    assert_false(secret_is_bcrypt("$2c$11$x"));
    assert_false(secret_is_bcrypt("secret"));
    assert_false(secret_is_bcrypt(""));
    assert_false(secret_is_bcrypt(NULL));
    assert_false(secret_is(str_of(hash), hash));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_user_or_token),
        cmocka_unit_test(test_users_of_accounts),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_certificates_without_users),
        cmocka_unit_test(test_bcrypt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
