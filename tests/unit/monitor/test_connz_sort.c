/* SPDX-License-Identifier: Apache-2.0 */
/* The order of connections, and pages of it (spec 07 §6; M-16, M-22). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "conn/conn_report.h"
#include "monitor/connz_sort.h"

#define MOST 3000u

static int64_t key(enum connz_sort by, const struct conn_report *r)
{
    struct connz_sorter s;

    connz_sorter_init(&s, by, 1000);
    return connz_sort_key(&s, r);
}

static void test_names(void **state)
{
    enum connz_sort by = CONNZ_SORT_RTT;

    (void)state;
    assert_true(connz_sort_find((struct str){0}, &by));
    assert_int_equal(by, CONNZ_SORT_CID);
    assert_true(connz_sort_find(STR("bytes_from"), &by));
    assert_int_equal(by, CONNZ_SORT_BYTES_FROM);
    assert_true(connz_sort_find(STR("reason"), &by));
    assert_int_equal(by, CONNZ_SORT_REASON);
    assert_false(connz_sort_find(STR("CID"), &by));
    assert_false(connz_sort_find(STR("bytes"), &by));
}

static void test_keys(void **state)
{
    const struct conn_report old = {.start_ns = 100, .last_active_ns = 900, .rtt_ns = 5};
    const struct conn_report young = {.start_ns = 700, .last_active_ns = 800, .rtt_ns = 6};
    const struct conn_report closed = {.start_ns = 100, .last_active_ns = 200, .stop_ns = 250};
    const struct conn_report busy = {.n_subs = 1,
                                     .pending_bytes = 1,
                                     .in_msgs = 1,
                                     .in_bytes = 1,
                                     .out_msgs = 1,
                                     .out_bytes = 1};
    const enum connz_sort counts[] = {CONNZ_SORT_SUBS,     CONNZ_SORT_PENDING,
                                      CONNZ_SORT_MSGS_TO,  CONNZ_SORT_MSGS_FROM,
                                      CONNZ_SORT_BYTES_TO, CONNZ_SORT_BYTES_FROM};

    (void)state;
    assert_true(key(CONNZ_SORT_LAST, &old) < key(CONNZ_SORT_LAST, &young));
    assert_true(key(CONNZ_SORT_IDLE, &young) < key(CONNZ_SORT_IDLE, &old));
    assert_true(key(CONNZ_SORT_UPTIME, &young) < key(CONNZ_SORT_UPTIME, &old));
    assert_true(key(CONNZ_SORT_UPTIME, &closed) < key(CONNZ_SORT_UPTIME, &young));
    assert_true(key(CONNZ_SORT_RTT, &young) < key(CONNZ_SORT_RTT, &old));
    assert_int_equal(key(CONNZ_SORT_START, &young), key(CONNZ_SORT_CID, &old));
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        assert_true(key(counts[i], &busy) < key(counts[i], &old));
    }
}

static void test_closed(void **state)
{
    const struct conn_report first = {.stop_ns = 1, .reason = CLOSE_STALE_CONNECTION};
    const struct conn_report last = {.stop_ns = 2, .reason = CLOSE_AUTHENTICATION_VIOLATION};

    (void)state;
    assert_true(key(CONNZ_SORT_STOP, &last) < key(CONNZ_SORT_STOP, &first));
    for (unsigned a = 1; a < CLOSE_REASON_COUNT; a++) {
        for (unsigned b = 1; b < CLOSE_REASON_COUNT; b++) {
            const struct conn_report x = {.reason = (enum close_reason)a};
            const struct conn_report y = {.reason = (enum close_reason)b};
            int order = strcmp(close_reason_text(x.reason), close_reason_text(y.reason));

            assert_int_equal(key(CONNZ_SORT_REASON, &x) < key(CONNZ_SORT_REASON, &y), order < 0);
        }
    }
}

static int compare(const void *a, const void *b)
{
    const struct connz_entry *x = a;
    const struct connz_entry *y = b;
    int64_t difference = x->key != y->key ? x->key - y->key : (int64_t)(x->cid - y->cid);

    return (difference > 0) - (difference < 0);
}

static void check_page(const struct connz_entry *all, size_t n, size_t from, size_t to)
{
    struct connz_entry *sorted = malloc((n + 1) * sizeof(*sorted));
    struct connz_entry *paged = malloc((n + 1) * sizeof(*paged));

    memcpy(sorted, all, n * sizeof(*all));
    memcpy(paged, all, n * sizeof(*all));
    qsort(sorted, n, sizeof(*sorted), compare);
    connz_sort_page(paged, n, from, to);
    for (size_t i = from; i < to; i++) {
        assert_int_equal(paged[i].cid, sorted[i].cid);
    }
    free(sorted);
    free(paged);
}

/* Every size of a small set with every page; then pages of a large one. @param n_keys  few: ties */
static void check_pages(int64_t n_keys)
{
    static struct connz_entry all[MOST];
    uint64_t random = 1;

    for (size_t i = 0; i < MOST; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        all[i] =
            (struct connz_entry){.key = (int64_t)(random >> 33) % n_keys, .cid = (i * 7919) % MOST};
    }
    for (size_t n = 0; n < 50; n += 7) {
        for (size_t from = 0; from <= n; from++) {
            for (size_t to = from; to <= n; to++) {
                check_page(all, n, from, to);
            }
        }
    }
    for (size_t from = 0; from <= MOST; from += 500) {
        check_page(all, MOST, from, from);
        check_page(all, MOST, from, MOST);
        check_page(all, MOST, from, from + 100 < MOST ? from + 100 : MOST);
    }
}

static void test_pages(void **state)
{
    (void)state;
    check_pages(1);
    check_pages(5);
    check_pages(INT32_MAX);
}

/* In order, in reverse order, and rising to the middle. */
static void test_shapes(void **state)
{
    static struct connz_entry all[MOST];

    (void)state;
    for (unsigned shape = 0; shape < 3; shape++) {
        for (size_t i = 0; i < MOST; i++) {
            size_t k = shape == 0 ? i : shape == 1 ? MOST - i : i < MOST / 2 ? i : MOST - i;

            all[i] = (struct connz_entry){.key = (int64_t)k, .cid = i};
        }
        check_page(all, MOST, 0, 10);
        check_page(all, MOST, 1000, 1010);
        check_page(all, MOST, MOST - 1, MOST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names), cmocka_unit_test(test_keys),   cmocka_unit_test(test_closed),
        cmocka_unit_test(test_pages), cmocka_unit_test(test_shapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
