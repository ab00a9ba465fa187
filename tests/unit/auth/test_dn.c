/* SPDX-License-Identifier: Apache-2.0 */
/* Distinguished names: what is one, and which two are equal (spec 04 §11). But where a comment says
 * otherwise, a nats-server 2.15.1 judges alike. */
#include "auth/dn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum verdict {
    NO_NAME,   // the first is no distinguished name
    DIFFERENT, // it is one, but not that of the certificate
    REORDERED,
    EQUAL,
};

static enum verdict judge(const char *user, const char *subject)
{
    struct arena a = {0};
    struct dn ours = {0};
    struct dn theirs = {0};
    enum verdict v = DIFFERENT;

    assert_true(dn_parse(&a, str_of(subject), &theirs));
    if (!dn_parse(&a, str_of(user), &ours)) {
        v = NO_NAME;
    } else if (dn_equal(&ours, &theirs)) {
        assert_true(dn_equal_reordered(&ours, &theirs));
        v = EQUAL;
    } else if (dn_equal_reordered(&ours, &theirs)) {
        v = REORDERED;
    }
    assert_int_equal(dn_equal(&theirs, &ours), v == EQUAL);
    assert_int_equal(dn_equal_reordered(&theirs, &ours), v == REORDERED || v == EQUAL);
    arena_deinit(&a);
    return v;
}

struct row {
    const char *user;
    enum verdict verdict;
};

static void check(const char *subject, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (judge(rows[i].user, subject) != rows[i].verdict) {
            fail_msg("%s against %s", rows[i].user, subject);
        }
    }
}

static void test_forms(void **state)
{
    static const struct row rows[] = {
        {"CN=bob,O=tests", EQUAL},
        {"cn=bob,o=tests", EQUAL},
        {" CN = bob , O = tests ", EQUAL},
        {"CN=b\\6fb,O=tests", EQUAL},
        {"CN=b\\6Fb,O=tests", EQUAL},
        {"CN=bob,O=tests,", EQUAL},
        {"O=tests,CN=bob", REORDERED},
        {"CN=Bob,O=tests", DIFFERENT},
        {"O=tests+CN=bob", DIFFERENT},
        {"CN=bob", DIFFERENT},
        {"CN=bob,O=tests,O=tests", DIFFERENT},
        {"CN=bob;O=tests", DIFFERENT},
        {"CN=#626f62,O=tests", DIFFERENT},
        {"2.5.4.3=bob,O=tests", DIFFERENT},
        {"CN=\"bob\",O=tests", DIFFERENT},
        {"CN=bob\\ ,O=tests", DIFFERENT},
        {"", DIFFERENT},
        {"bob", NO_NAME},
        {"CN=bob,,O=tests", NO_NAME},
        {",CN=bob,O=tests", NO_NAME},
        {"CN=bob,O=tests+", NO_NAME},
        {"CN=bob,tests", NO_NAME},
        {"=bob,O=tests", NO_NAME},
        {"CN=b\\ob,O=tests", NO_NAME},
        {"CN=b\\6,O=tests", NO_NAME},
        {"CN=bob,O=tests\\", NO_NAME},
        {"x=CN=bob,O=tests", DIFFERENT}, // the reference takes the last type
    };

    (void)state;
    check("CN=bob,O=tests", rows, ARRAY_SIZE(rows));
}

static void test_several_values(void **state)
{
    static const struct row rows[] = {
        {"OU=Eng+CN=gina,O=tests", EQUAL},
        {"CN=gina+OU=Eng,O=tests", EQUAL},
        {"O=tests,cn=gina + ou=Eng", REORDERED},
        {"CN=gina,OU=Eng,O=tests", DIFFERENT},
        {"CN=gina+OU=Eng+OU=Eng,O=tests", DIFFERENT},
        {"CN=gina,O=tests", DIFFERENT},
    };
    static const struct row of_units[] = {
        {"CN=y,OU=b,OU=a", EQUAL},
        {"CN=y,OU=a,OU=b", REORDERED},
        {"CN=y,OU=a,OU=a", DIFFERENT},
        {"CN=y,OU=a+OU=b", DIFFERENT},
    };
    static const struct row of_twins[] = {
        {"OU=a,OU=a,OU=b", EQUAL}, {"OU=a,OU=b,OU=a", REORDERED}, {"OU=a,OU=b,OU=b", DIFFERENT}};

    (void)state;
    check("OU=Eng+CN=gina,O=tests", rows, ARRAY_SIZE(rows));
    check("CN=y,OU=b,OU=a", of_units, ARRAY_SIZE(of_units));
    check("OU=a,OU=a,OU=b", of_twins, ARRAY_SIZE(of_twins));
}

static void test_escapes(void **state)
{
    static const struct row rows[] = {
        {"O=a\\, b+OU=c,CN=\\ x ;\"\\\\", EQUAL},
        {"CN=\\ x \\;\\\"\\\\,OU=c+O=a\\, b", REORDERED},
        {"CN=\\20x \\3b\\22\\5c,OU=c+O=a\\2c b", REORDERED},
        {"CN=x ;\"\\\\,OU=c+O=a\\, b", DIFFERENT},
    };
    static const struct row of_letters[] = {{"CN=ü=\\=", EQUAL}, {"cn=\\c3\\bc==", EQUAL}};

    (void)state;
    check("O=a\\, b+OU=c,CN=\\ x \\;\\\"\\\\", rows, ARRAY_SIZE(rows));
    check("CN=\\C3\\BC==", of_letters, ARRAY_SIZE(of_letters)); // as OpenSSL writes it
}

/* What is only known in DER is equal to nothing, not even itself. */
static void test_der(void **state)
{
    (void)state;
    assert_int_equal(judge("CN=#0c03616263", "CN=#0c03616263"), DIFFERENT);
    assert_int_equal(judge("CN=\\#0c", "CN=\\#0c"), EQUAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_several_values),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_der),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
