/* SPDX-License-Identifier: Apache-2.0 */
/* Every order is that of one number; ties are broken by the id, so that pages neither repeat
 * connections nor leave them out. */
#include "monitor/connz_sort.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "conn/conn_report.h"

/** Ranges of so many are simply sorted. */
#define FEW 32u

static const char *const names[] = {
    [CONNZ_SORT_CID] = "cid",           [CONNZ_SORT_START] = "start",
    [CONNZ_SORT_SUBS] = "subs",         [CONNZ_SORT_PENDING] = "pending",
    [CONNZ_SORT_MSGS_TO] = "msgs_to",   [CONNZ_SORT_MSGS_FROM] = "msgs_from",
    [CONNZ_SORT_BYTES_TO] = "bytes_to", [CONNZ_SORT_BYTES_FROM] = "bytes_from",
    [CONNZ_SORT_LAST] = "last",         [CONNZ_SORT_IDLE] = "idle",
    [CONNZ_SORT_UPTIME] = "uptime",     [CONNZ_SORT_RTT] = "rtt",
    [CONNZ_SORT_STOP] = "stop",         [CONNZ_SORT_REASON] = "reason",
};

bool connz_sort_find(struct str name, enum connz_sort *out)
{
    if (name.n == 0) {
        *out = CONNZ_SORT_CID;
        return true;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (str_equal(name, str_of(names[i]))) {
            *out = (enum connz_sort)i;
            return true;
        }
    }
    return false;
}

static uint8_t rank_of(enum close_reason reason)
{
    const char *text = close_reason_text(reason);
    uint8_t rank = 0;

    for (unsigned i = 0; i < CLOSE_REASON_COUNT; i++) {
        rank += (uint8_t)(strcmp(close_reason_text((enum close_reason)i), text) < 0);
    }
    return rank;
}

void connz_sorter_init(struct connz_sorter *s, enum connz_sort by, int64_t now_ns)
{
    *s = (struct connz_sorter){.by = by, .now_ns = now_ns};
    for (unsigned i = 0; by == CONNZ_SORT_REASON && i < CLOSE_REASON_COUNT; i++) {
        s->ranks[i] = rank_of((enum close_reason)i);
    }
}

/* The largest first. */
static int64_t down(uint64_t value)
{
    return -(int64_t)value;
}

int64_t connz_sort_key(const struct connz_sorter *s, const struct conn_report *r)
{
    switch (s->by) {
    case CONNZ_SORT_CID:
    case CONNZ_SORT_START:
        break;
    case CONNZ_SORT_SUBS:
        return down(r->n_subs);
    case CONNZ_SORT_PENDING:
        return down(r->pending_bytes);
    case CONNZ_SORT_MSGS_TO:
        return down(r->out_msgs);
    case CONNZ_SORT_MSGS_FROM:
        return down(r->in_msgs);
    case CONNZ_SORT_BYTES_TO:
        return down(r->out_bytes);
    case CONNZ_SORT_BYTES_FROM:
        return down(r->in_bytes);
    case CONNZ_SORT_LAST:
        return -r->last_active_ns;
    case CONNZ_SORT_IDLE:
        return r->last_active_ns - (r->stop_ns ? r->stop_ns : s->now_ns);
    case CONNZ_SORT_UPTIME:
        return (r->stop_ns ? r->stop_ns : s->now_ns) - r->start_ns;
    case CONNZ_SORT_RTT:
        return -r->rtt_ns;
    case CONNZ_SORT_STOP:
        return -r->stop_ns;
    case CONNZ_SORT_REASON:
        return s->ranks[r->reason];
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct connz_entry *x = a;
    const struct connz_entry *y = b;

    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return (x->cid > y->cid) - (x->cid < y->cid);
}

static void swap(struct connz_entry *a, struct connz_entry *b)
{
    struct connz_entry kept = *a;

    *a = *b;
    *b = kept;
}

/* Puts what comes before the middle element before what comes after it.
 * @return  how many are in the first part, which is neither empty nor all */
static size_t divide(struct connz_entry *e, size_t n)
{
    struct connz_entry pivot = e[(n - 1) / 2];
    size_t low = 0;
    size_t high = n - 1;

    for (;; low++, high--) {
        while (compare(&e[low], &pivot) < 0) {
            low++;
        }
        while (compare(&e[high], &pivot) > 0) {
            high--;
        }
        if (low >= high) {
            return high + 1;
        }
        swap(&e[low], &e[high]);
    }
}

/* Puts the first k of all before the others. */
static void select_first(struct connz_entry *e, size_t n, size_t k)
{
    unsigned n_rounds = 0;

    while (k > 0 && k < n) {
        if (n <= FEW || ++n_rounds > 64) { // whoever chose the numbers has found the worst case
            qsort(e, n, sizeof(e[0]), compare);
            return;
        }
        size_t n_low = divide(e, n);

        if (k < n_low) {
            n = n_low;
        } else {
            e += n_low;
            n -= n_low;
            k -= n_low;
        }
    }
}

void connz_sort_page(struct connz_entry *entries, size_t n, size_t from, size_t to)
{
    if (from == to) {
        return;
    }
    select_first(entries, n, from);
    select_first(entries + from, n - from, to - from);
    qsort(entries + from, to - from, sizeof(entries[0]), compare);
}
