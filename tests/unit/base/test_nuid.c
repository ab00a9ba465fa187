/* SPDX-License-Identifier: Apache-2.0 */
/* Ids that count on. */
#include "base/nuid.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_form(void **state)
{
    struct nuid n;

    (void)state;
    nuid_init(&n);
    struct str id = nuid_next(&n);
    assert_int_equal(id.n, 22);
    for (size_t i = 0; i < id.n; i++) {
        assert_true(isalnum((unsigned char)id.p[i]));
    }
}

/* One source begins all its ids alike and repeats none. */
static void test_sequence(void **state)
{
    enum { N = 1000 };
    static char ids[N][NUID_CHARS];
    struct nuid n;

    (void)state;
    nuid_init(&n);
    for (size_t i = 0; i < N; i++) {
        memcpy(ids[i], nuid_next(&n).p, NUID_CHARS);
        assert_memory_equal(ids[i], ids[0], NUID_PREFIX_CHARS);
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(ids[i], ids[k], NUID_CHARS);
        }
    }
}

static void test_sources(void **state)
{
    struct nuid a;
    struct nuid b;

    (void)state;
    nuid_init(&a);
    nuid_init(&b);
    assert_memory_not_equal(nuid_next(&a).p, nuid_next(&b).p, NUID_PREFIX_CHARS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_sequence),
        cmocka_unit_test(test_sources),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
