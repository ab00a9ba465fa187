/* SPDX-License-Identifier: Apache-2.0 */
/* io/tls_tickets_priv.h: which key seals, and which opens. That OpenSSL uses them is in test_tls.c.
 */
#include "io/tls_tickets_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define DAY_NS TLS_TICKET_KEY_NS
#define START_NS 5000

static bool can_open(struct tls_tickets *t, const struct tls_ticket_key *k, int64_t now_ns,
                     bool *is_old)
{
    struct tls_ticket_key found;

    if (!tls_tickets_find(t, k->name, now_ns, &found, is_old)) {
        return false;
    }
    assert_memory_equal(&found, k, sizeof(found));
    return true;
}

static void keeps_a_key_for_a_day(void **state)
{
    struct tls_ticket_key first;
    struct tls_ticket_key other;
    struct tls_tickets t;
    bool is_old = true;

    (void)state;
    tls_tickets_init(&t, START_NS);
    tls_tickets_get(&t, START_NS, &first);
    tls_tickets_get(&t, START_NS + DAY_NS - 1, &other);
    assert_memory_equal(&first, &other, sizeof(first));
    assert_true(can_open(&t, &first, START_NS + DAY_NS - 1, &is_old));
    assert_false(is_old);
    tls_tickets_get(&t, START_NS + DAY_NS, &other);
    assert_memory_not_equal(&first, &other, sizeof(first));
    tls_tickets_deinit(&t);
}

static void opens_for_a_day_more(void **state)
{
    struct tls_ticket_key first;
    struct tls_ticket_key second;
    struct tls_tickets t;
    bool is_old = false;

    (void)state;
    tls_tickets_init(&t, START_NS);
    tls_tickets_get(&t, START_NS, &first);
    assert_true(can_open(&t, &first, START_NS + DAY_NS, &is_old)); // asking is enough to rotate
    assert_true(is_old);
    tls_tickets_get(&t, START_NS + DAY_NS, &second);
    assert_true(can_open(&t, &first, START_NS + 2 * DAY_NS - 1, &is_old));
    assert_false(can_open(&t, &first, START_NS + 2 * DAY_NS, &is_old));
    assert_true(can_open(&t, &second, START_NS + 2 * DAY_NS, &is_old));
    assert_true(is_old);
    tls_tickets_deinit(&t);
}

static void forgets_when_nobody_asks(void **state)
{
    struct tls_ticket_key first;
    struct tls_tickets t;
    bool is_old;

    (void)state;
    tls_tickets_init(&t, START_NS);
    tls_tickets_get(&t, START_NS, &first);
    assert_false(can_open(&t, &first, START_NS + 2 * DAY_NS, &is_old));
    tls_tickets_deinit(&t);
}

static void knows_its_own_keys_only(void **state)
{
    struct tls_ticket_key of_other;
    struct tls_tickets t;
    struct tls_tickets other;
    bool is_old;

    (void)state;
    tls_tickets_init(&t, START_NS);
    tls_tickets_init(&other, START_NS);
    tls_tickets_get(&other, START_NS, &of_other);
    assert_false(can_open(&t, &of_other, START_NS, &is_old));
    tls_tickets_deinit(&other);
    tls_tickets_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_a_key_for_a_day),
        cmocka_unit_test(opens_for_a_day_more),
        cmocka_unit_test(forgets_when_nobody_asks),
        cmocka_unit_test(knows_its_own_keys_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
