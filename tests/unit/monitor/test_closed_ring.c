/* SPDX-License-Identifier: Apache-2.0 */
/* Closed connections: which are remembered, and what of them (spec 07 §6; M-20). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conn/conn_report.h"
#include "monitor/closed_ring.h"

/* @param list_bytes  that it says it takes */
static void add(struct closed_ring *r, uint64_t cid, size_t list_bytes)
{
    struct conn_report *report = mem_zalloc(sizeof(*report) + sizeof(report->subs[0]));

    report->cid = cid;
    report->subs = (const struct conn_report_sub *)(report + 1);
    report->n_subs = report->n_listed_subs = list_bytes > 0;
    report->n_bytes = list_bytes;
    closed_ring_add(r, report);
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
    assert_int_equal(r.n_list_bytes, 5);
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
    const size_t each = CLOSED_RING_LIST_BYTES / 8;
    struct closed_ring r = {0};

    (void)state;
    closed_ring_resize(&r, 100);
    for (uint64_t cid = 1; cid <= 20; cid++) {
        add(&r, cid, each);
        assert_true(r.n_list_bytes <= CLOSED_RING_LIST_BYTES);
    }
    check(&r, 1, 20);
    for (size_t i = 0; i < r.n; i++) {
        assert_int_equal(closed_ring_at(&r, i)->n_subs, 1);
        assert_int_equal(closed_ring_at(&r, i)->n_listed_subs, i < 12 ? 0 : 1);
    }
    closed_ring_resize(&r, 4);
    assert_int_equal(r.n_list_bytes, 4 * each);
    closed_ring_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_ones_stay),
        cmocka_unit_test(test_resize),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_subs_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
