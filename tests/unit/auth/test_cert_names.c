/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a certificate, and their order: A-40 (spec 04 §11). The texts of subjects are those
 * of a nats-server 2.15.1. */
#include "auth/cert_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"

static void assert_name(const struct cert_name *name, enum cert_name_kind kind, const char *text)
{
    assert_int_equal(name->kind, kind);
    if (!str_equal(name->text, str_of(text))) {
        fail_msg("%.*s instead of %s", STR_ARG(name->text), text);
    }
}

static void test_order(void **state)
{
    struct cert_names l = {0};

    (void)state;
    cert_names_add(&l, CERT_NAME_EMAIL, STR("a@x.example"));
    cert_names_add(&l, CERT_NAME_DNS, STR("h.x.example"));
    cert_names_add(&l, CERT_NAME_URI, STR("spiffe://x/y"));
    cert_names_add_subject(&l, STR("CN=alice,OU=B,OU=A,O=tests,DC=example,DC=com"));
    assert_int_equal(l.n, 6);
    assert_name(&l.at[0], CERT_NAME_EMAIL, "a@x.example");
    assert_name(&l.at[1], CERT_NAME_DNS, "h.x.example");
    assert_name(&l.at[2], CERT_NAME_URI, "spiffe://x/y");
    assert_name(&l.at[3], CERT_NAME_DN, "CN=alice,OU=A+OU=B,O=tests");
    assert_int_equal(l.at[3].dn.n, 6);
    assert_name(&l.at[4], CERT_NAME_WITH_DC, "CN=alice,OU=A+OU=B,O=tests,DC=com,DC=example");
    assert_name(&l.at[5], CERT_NAME_SUBJECT, "CN=alice,OU=A+OU=B,O=tests");
    cert_names_deinit(&l);
}

static void test_subjects(void **state)
{
    static const struct {
        const char *rfc2253;
        const char *text;
        const char *with_dc; // NULL: there are none
        bool has_dn;
    } rows[] = {
        {"CN=bob,O=tests", "CN=bob,O=tests", NULL, true},
        {"CN=i,serialNumber=h,postalCode=g,street=f,OU=e,O=d,L=c,ST=b,C=DE",
         "SERIALNUMBER=h,CN=i,OU=e,O=d,POSTALCODE=g,STREET=f,L=c,ST=b,C=DE", NULL, true},
        {"OU=e1+CN=y,O=d,OU=e2", "CN=y,OU=e2+OU=e1,O=d", NULL, true},
        {"O=x,CN=one,CN=two", "CN=one,O=x", NULL, true},
        {"O=u,DC=c+CN=q,DC=a\\,b", "CN=q,O=u", "CN=q,O=u,DC=a,b,DC=c", true},
        {"DC=only", "", ",DC=only", true},
        {"CN=\\ x \\;\\\"#\\<\\>\\\\,O=a\\, b+OU=c", "CN=\\ x \\;\\\"#\\<\\>\\\\,OU=c,O=a\\, b",
         NULL, true},
        {"CN=\\#ab", "CN=\\#ab", NULL, true},
        {"CN=\\C3\\BC\\E2\\82\\AC", "CN=ü€", NULL, true},
        {"O=/,CN=a=b", "CN=a=b,O=/", NULL, true},
        {"CN=kate,UID=u", "CN=kate", NULL, false},
        {"CN=kate,emailAddress=e@x", "CN=kate", NULL, false},
        {"CN=kate,1.2.3.4=#0c0178", "CN=kate", NULL, false},
        {"CN=#1e020078,O=o", "O=o", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct cert_names l = {0};
        size_t at = 0;

        cert_names_add_subject(&l, str_of(rows[i].rfc2253));
        assert_int_equal(l.n, 1 + (rows[i].with_dc != NULL) + rows[i].has_dn);
        if (rows[i].has_dn) {
            assert_name(&l.at[at++], CERT_NAME_DN, rows[i].text);
        }
        if (rows[i].with_dc) {
            assert_name(&l.at[at++], CERT_NAME_WITH_DC, rows[i].with_dc);
        }
        assert_name(&l.at[at], CERT_NAME_SUBJECT, rows[i].text);
        assert_true(str_equal(l.subject, str_of(rows[i].text)));
        cert_names_deinit(&l);
    }
}

static void test_empty_subject(void **state)
{
    struct cert_names l = {0};

    (void)state;
    cert_names_add_subject(&l, STR(""));
    assert_int_equal(l.n, 0);
    cert_names_add(&l, CERT_NAME_DNS, STR("h.x.example"));
    cert_names_add_subject(&l, STR(""));
    assert_int_equal(l.n, 3);
    assert_name(&l.at[1], CERT_NAME_DN, "");
    assert_name(&l.at[2], CERT_NAME_SUBJECT, "");
    cert_names_deinit(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_subjects),
        cmocka_unit_test(test_empty_subject),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
