/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions with the same subject. Members are kept in sets of pointers, so that a subject with
 * 100,000 subscribers gains and loses one as fast as one with three. A bag keeps its own copy of
 * the subject and of the queue names: any subscription may go first. Guarded by: the index lock. */
#include "broker/leaf.h"

#include <stddef.h>

#include "base/hash.h"

static uint64_t group_hash(const void *element, const void *arg)
{
    const struct bag_group *g = element;

    (void)arg;
    return hash_bytes(g->queue, g->queue_n);
}

static bool group_is_named(const void *element, const void *key)
{
    const struct bag_group *g = element;
    const struct str *queue = key;

    return str_equal(*queue, (struct str){.p = g->queue, .n = g->queue_n});
}

static struct bag_group *find_group(const struct bag *b, struct str queue)
{
    return ptrset_find(&b->groups, hash_str(queue), group_is_named, &queue);
}

static struct bag_group *group_new(struct str queue)
{
    struct bag_group *g = mem_zalloc(sizeof(*g) + queue.n);

    g->queue_n = (uint32_t)queue.n;
    memcpy(g->queue, queue.p, queue.n);
    return g;
}

static void members_add(struct ptrset *members, struct sub *s)
{
    ptrset_add(members, ptrset_hash_pointer(s, NULL), s, ptrset_hash_pointer, NULL);
}

static bool members_remove(struct ptrset *members, struct sub *s)
{
    return ptrset_remove(members, ptrset_hash_pointer(s, NULL), s, ptrset_hash_pointer, NULL);
}

static void members_free(struct ptrset *members)
{
    uint32_t at = 0;

    for (struct sub *s; (s = ptrset_next(members, &at)) != NULL;) {
        sub_unref(s);
    }
    ptrset_deinit(members);
}

static struct bag *bag_new(struct str subject)
{
    struct bag *b = mem_zalloc(sizeof(*b) + subject.n);

    b->subject_n = (uint32_t)subject.n;
    memcpy(b->subject, subject.p, subject.n);
    return b;
}

static void bag_add(struct bag *b, struct sub *s)
{
    struct str queue = sub_queue(s);
    struct bag_group *g;

    if (!queue.n) {
        members_add(&b->plain, s);
        return;
    }
    g = find_group(b, queue);
    if (!g) {
        g = group_new(queue);
        ptrset_add(&b->groups, hash_str(queue), g, group_hash, NULL);
    }
    members_add(&g->members, s);
}

static bool bag_remove(struct bag *b, struct sub *s)
{
    struct str queue = sub_queue(s);
    struct bag_group *g;

    if (!queue.n) {
        return members_remove(&b->plain, s);
    }
    g = find_group(b, queue);
    if (!g || !members_remove(&g->members, s)) {
        return false;
    }
    if (!g->members.n) {
        ptrset_remove(&b->groups, hash_str(queue), g, group_hash, NULL);
        mem_free(g);
    }
    return true;
}

struct leaf leaf_add(struct leaf l, struct sub *s)
{
    struct bag *b;

    if (!l.bits) {
        return (struct leaf){.bits = (uintptr_t)s | LEAF_SUB};
    }
    if (leaf_is_sub(l)) {
        b = bag_new(sub_subject(s));
        bag_add(b, leaf_sub(l));
    } else {
        b = leaf_bag(l);
    }
    bag_add(b, s);
    return (struct leaf){.bits = (uintptr_t)b | LEAF_BAG};
}

bool leaf_remove(struct leaf *l, struct sub *s)
{
    struct bag *b;

    if (leaf_is_sub(*l)) {
        if (leaf_sub(*l) != s) {
            return false;
        }
        l->bits = 0;
        return true;
    }
    b = leaf_bag(*l);
    if (!bag_remove(b, s)) {
        return false;
    }
    if (!b->plain.n && !b->groups.n) {
        mem_free(b);
        l->bits = 0;
    }
    return true;
}

uint32_t leaf_count(struct leaf l, struct str queue)
{
    const struct bag_group *g;

    if (!l.bits) {
        return 0;
    }
    if (leaf_is_sub(l)) {
        return str_equal(sub_queue(leaf_sub(l)), queue);
    }
    if (!queue.n) {
        return leaf_bag(l)->plain.n;
    }
    g = find_group(leaf_bag(l), queue);
    return g ? g->members.n : 0;
}

void leaf_each_queue(struct leaf l, leaf_queue_fn fn, void *arg)
{
    struct str subject = leaf_subject(l);
    uint32_t at = 0;

    if (leaf_is_sub(l)) {
        fn(subject, sub_queue(leaf_sub(l)), arg);
        return;
    }
    if (leaf_bag(l)->plain.n) {
        fn(subject, (struct str){0}, arg);
    }
    for (struct bag_group *g; (g = ptrset_next(&leaf_bag(l)->groups, &at)) != NULL;) {
        fn(subject, (struct str){.p = g->queue, .n = g->queue_n}, arg);
    }
}

void leaf_free(struct leaf l)
{
    uint32_t at = 0;

    if (!l.bits) {
        return;
    }
    if (leaf_is_sub(l)) {
        sub_unref(leaf_sub(l));
        return;
    }
    members_free(&leaf_bag(l)->plain);
    for (struct bag_group *g; (g = ptrset_next(&leaf_bag(l)->groups, &at)) != NULL;) {
        members_free(&g->members);
        mem_free(g);
    }
    ptrset_deinit(&leaf_bag(l)->groups);
    mem_free(leaf_bag(l));
}
