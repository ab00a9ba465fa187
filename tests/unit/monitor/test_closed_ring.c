/* SPDX-License-Identifier: Apache-2.0 */
/* Closed connections: which are remembered, and what of them (spec 07 §6; M-20). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conn/conn_report.h"
#include "monitor/closed_ring.h"

/* @param n_subject  [bytes] of the only subject in its list; 0: there is no list */
static void add(struct closed_ring *r, uint64_t cid, size_t n_subject)
{
    char *subject = mem_zalloc(n_subject);
    const struct conn_report_sub sub = {.subject = {subject, n_subject}};
    const struct conn_report report = {
        .cid = cid, .subs = &sub, .n_subs = n_subject > 0, .n_listed_subs = n_subject > 0};

    closed_ring_add(r, &report);
    mem_free(subject);
}

/* It has those from cid `first` to cid `last`, in order. */
static void check(const struct closed_ring *r, uint64_t first, uint64_t last)
{
    assert_int_equal(r->n, last + 1 - first);
    for (size_t i = 0; i < r->n; i++) {
        assert_int_equal(closed_ring_at(r, i)->cid, first + i);
    }
}

static void test_last_ones_stay(void **state)
{
    struct closed_ring r = {0};

    (void)state;
    closed_ring_resize(&r, 3);
    check(&r, 1, 0);
    for (uint64_t cid = 1; cid <= 3; cid++) {
        add(&r, cid, 0);
        check(&r, 1, cid);
    }
    for (uint64_t cid = 4; cid <= 1000; cid++) {
        add(&r, cid, 0);
        check(&r, cid - 2, cid);
    }
    closed_ring_deinit(&r);
}

static void test_resize(void **state)
{
    struct closed_ring r = {0};

    (void)state;
    closed_ring_resize(&r, 1000);
    for (uint64_t cid = 1; cid <= 700; cid++) {
        add(&r, cid, 1);
    }
    check(&r, 1, 700);
    closed_ring_resize(&r, 5);
    check(&r, 696, 700);
    closed_ring_resize(&r, 8);
    for (uint64_t cid = 701; cid <= 720; cid++) {
        add(&r, cid, 1);
    }
    check(&r, 713, 720);
    closed_ring_resize(&r, 0);
    check(&r, 1, 0);
    add(&r, 721, 1);
    check(&r, 1, 0);
    assert_int_equal(r.n_list_bytes, 0);
    closed_ring_deinit(&r);
}

static void test_numbers(void **state)
{
    struct closed_ring r = {0};

    (void)state;
    closed_ring_resize(&r, 4);
    for (uint64_t cid = 0; cid < 10; cid++) { // the number of each is its cid
        add(&r, cid, 0);
    }
    assert_int_equal(closed_ring_first(&r), 6);
    assert_null(closed_ring_find(&r, 5));
    assert_int_equal(closed_ring_find(&r, 6)->cid, 6);
    assert_int_equal(closed_ring_find(&r, 9)->cid, 9);
    assert_null(closed_ring_find(&r, 10));
    closed_ring_deinit(&r);
}

/* Of too many subscriptions those are forgotten whose connections closed first. */
static void test_subs_are_bounded(void **state)
{
    const size_t each = CLOSED_RING_LIST_BYTES / 200;
    struct closed_ring r = {0};
    size_t n_listed = 0;

    (void)state;
    closed_ring_resize(&r, 1000);
    for (uint64_t cid = 1; cid <= 1500; cid++) {
        add(&r, cid, each);
        assert_true(r.n_list_bytes <= CLOSED_RING_LIST_BYTES);
    }
    check(&r, 501, 1500);
    for (size_t i = 0; i < r.n; i++) {
        const struct conn_report *report = closed_ring_at(&r, i);

        assert_int_equal(report->n_subs, 1);
        assert_true(report->n_listed_subs >= n_listed); // once there is one, all behind have theirs
        n_listed = report->n_listed_subs;
        assert_true(n_listed == 1 || i < 900);
        assert_true(n_listed == 0 || i >= 800);
    }
    closed_ring_resize(&r, 50);
    check(&r, 1451, 1500);
    assert_int_equal(closed_ring_at(&r, 0)->subs[0].subject.n, each);
    assert_true(r.n_list_bytes >= 50 * each);
    for (uint64_t cid = 1501; cid <= 1600; cid++) {
        add(&r, cid, 0);
    }
    assert_int_equal(r.n_list_bytes, 0);
    closed_ring_deinit(&r);
}

/* As many as there may be, and what they hold is given back: sanitizers tell. */
static void test_random(void **state)
{
    struct closed_ring r = {0};
    uint64_t n_added = 0;

    (void)state;
    srand(1);
    for (int i = 0; i < 2000; i++) {
        size_t cap = (size_t)rand() % 300;

        closed_ring_resize(&r, cap);
        for (int k = rand() % 40; k > 0; k--) {
            add(&r, n_added++, (size_t)rand() % 50);
        }
        assert_true(r.n <= cap);
        assert_int_equal(r.n_added, n_added);
        check(&r, n_added - r.n, n_added - 1);
    }
    closed_ring_resize(&r, 0);
    assert_int_equal(r.n_list_bytes, 0);
    closed_ring_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_ones_stay), cmocka_unit_test(test_resize),
        cmocka_unit_test(test_numbers),        cmocka_unit_test(test_subs_are_bounded),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
