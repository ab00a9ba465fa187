/* SPDX-License-Identifier: Apache-2.0 */
/* Two passes over the leaves: count, then copy pointers; references are taken in a last one, which
 * can fetch ahead. A queue group is found once per matching subject (a "share" of it); when there
 * are several, sorting by name brings together what is one group for this message. */
#include "broker/gather.h"

#include <stdlib.h>

#include "base/mem.h"
#include "broker/index.h"

#define GATHER_KEEP 1024u // entries of scratch that are kept for the next match
#define GATHER_AHEAD 8u   // subscriptions fetched ahead

/** The members of one queue group that subscribed to one of the matching subjects. */
struct gather_share {
    struct str queue;
    const struct ptrset *members; // or NULL: the one in `sub`
    struct sub *sub;
};

struct sums {
    uint32_t n_plain, n_members, n_shares;
};

void gather_deinit(struct gather *g)
{
    mem_free(g->leaves);
    mem_free(g->shares);
    *g = (struct gather){0};
}

void gather_grow(struct gather *g)
{
    g->leaves_cap = g->leaves_cap ? g->leaves_cap * 2 : 16;
    g->leaves = mem_realloc(g->leaves, g->leaves_cap * sizeof(*g->leaves));
}

static void count_leaf(struct leaf l, struct sums *sums)
{
    uint32_t at = 0;

    if (leaf_is_sub(l)) {
        uint32_t is_member = leaf_sub(l)->queue_n != 0;

        sums->n_plain += !is_member;
        sums->n_members += is_member;
        sums->n_shares += is_member;
        return;
    }
    sums->n_plain += leaf_bag(l)->plain.n;
    sums->n_shares += leaf_bag(l)->groups.n;
    for (struct bag_group *g; (g = ptrset_next(&leaf_bag(l)->groups, &at)) != NULL;) {
        sums->n_members += g->members.n;
    }
}

/* Copies the pointers of a set. @return  the place after the last */
static struct sub **copy_set(struct sub **to, const struct ptrset *set)
{
    uint32_t at = 0;

    for (struct sub *s; (s = ptrset_next(set, &at)) != NULL;) {
        *to++ = s;
    }
    return to;
}

static struct sub **copy_plain(struct sub **to, const struct gather *g)
{
    for (uint32_t i = 0; i < g->n_leaves; i++) {
        struct leaf l = g->leaves[i];

        if (!leaf_is_sub(l)) {
            to = copy_set(to, &leaf_bag(l)->plain);
        } else if (!leaf_sub(l)->queue_n) {
            *to++ = leaf_sub(l);
        }
    }
    return to;
}

/* Lists the shares of all leaves in g->shares. */
static void list_shares(struct gather *g, uint32_t n)
{
    struct gather_share *to;

    if (n > g->shares_cap) {
        mem_free(g->shares);
        g->shares = mem_alloc(n * sizeof(*g->shares));
        g->shares_cap = n;
    }
    to = g->shares;
    for (uint32_t i = 0; i < g->n_leaves; i++) {
        struct leaf l = g->leaves[i];
        uint32_t at = 0;

        if (leaf_is_sub(l)) {
            if (leaf_sub(l)->queue_n) {
                *to++ = (struct gather_share){.queue = sub_queue(leaf_sub(l)), .sub = leaf_sub(l)};
            }
            continue;
        }
        for (struct bag_group *b; (b = ptrset_next(&leaf_bag(l)->groups, &at)) != NULL;) {
            *to++ = (struct gather_share){.queue = {.p = b->queue, .n = b->queue_n},
                                          .members = &b->members};
        }
    }
}

static int compare_shares(const void *a, const void *b)
{
    const struct gather_share *x = a;
    const struct gather_share *y = b;

    if (x->queue.n != y->queue.n) {
        return x->queue.n < y->queue.n ? -1 : 1;
    }
    return memcmp(x->queue.p, y->queue.p, x->queue.n);
}

static void copy_groups(struct match *m, struct sub **to, struct gather *g, uint32_t n_shares)
{
    list_shares(g, n_shares);
    if (n_shares > 1) {
        qsort(g->shares, n_shares, sizeof(*g->shares), compare_shares);
    }
    for (uint32_t i = 0; i < n_shares; i++) {
        const struct gather_share *share = &g->shares[i];
        struct sub **first = to;

        if (i == 0 || compare_shares(share - 1, share) != 0) {
            m->groups[m->n_groups++] = (struct match_group){.first = (uint32_t)(to - m->subs)};
        }
        if (share->members) {
            to = copy_set(to, share->members);
        } else {
            *to++ = share->sub;
        }
        m->groups[m->n_groups - 1].n += (uint32_t)(to - first);
    }
}

static void ref_all(struct sub *const *subs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i + GATHER_AHEAD < n) {
            __builtin_prefetch(subs[i + GATHER_AHEAD], 1);
        }
        sub_ref(subs[i]);
    }
}

void gather_forget(struct gather *g)
{
    g->n_leaves = 0;
    if (g->leaves_cap > GATHER_KEEP || g->shares_cap > GATHER_KEEP) {
        gather_deinit(g);
    }
}

struct match *gather_take(struct gather *g)
{
    struct sums sums = {0};
    struct match *m;
    struct sub **to;
    size_t n;

    if (!g->n_leaves) {
        return NULL;
    }
    for (uint32_t i = 0; i < g->n_leaves; i++) {
        count_leaf(g->leaves[i], &sums);
    }
    n = (size_t)sums.n_plain + sums.n_members;
    m = mem_alloc(sizeof(*m) + n * sizeof(m->subs[0]) + sums.n_shares * sizeof(m->groups[0]));
    m->n_subs = (uint32_t)n;
    m->n_plain = sums.n_plain;
    m->n_groups = 0;
    m->groups = NULL;
    to = copy_plain(m->subs, g);
    if (sums.n_shares) {
        m->groups = (struct match_group *)(void *)(m->subs + n);
        copy_groups(m, to, g, sums.n_shares);
    }
    ref_all(m->subs, n);
    gather_forget(g);
    return m;
}

static uint64_t count_set(const struct ptrset *set, gather_counts_fn counts)
{
    uint64_t n = 0;
    uint32_t at = 0;

    if (!counts) {
        return set->n;
    }
    for (struct sub *s; (s = ptrset_next(set, &at)) != NULL;) {
        n += counts(s);
    }
    return n;
}

static uint64_t count_bag(const struct bag *b, struct str queue, gather_counts_fn counts)
{
    uint64_t n = queue.n ? 0 : count_set(&b->plain, counts);
    uint32_t at = 0;

    for (struct bag_group *g; (g = ptrset_next(&b->groups, &at)) != NULL;) {
        if (!queue.n || str_equal(queue, (struct str){.p = g->queue, .n = g->queue_n})) {
            n += count_set(&g->members, counts);
        }
    }
    return n;
}

uint64_t gather_count(struct gather *g, struct str queue, gather_counts_fn counts)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < g->n_leaves; i++) {
        struct leaf l = g->leaves[i];

        if (!leaf_is_sub(l)) {
            n += count_bag(leaf_bag(l), queue, counts);
        } else if (!queue.n || str_equal(queue, sub_queue(leaf_sub(l)))) {
            n += !counts || counts(leaf_sub(l));
        }
    }
    gather_forget(g);
    return n;
}
