/* SPDX-License-Identifier: Apache-2.0 */
/* A trie of the replies, as an index has one of its subscriptions, and a list. */
#include "broker/awaited.h"

#include "broker/response_table.h"
#include "broker/sub.h"
#include "proto/subject.h"

void awaited_init(struct awaited *a)
{
    *a = (struct awaited){0};
    pthread_mutex_init(&a->lock, NULL);
    trie_init(&a->replies);
}

void awaited_deinit(struct awaited *a)
{
    trie_deinit(&a->replies);
    trie_walk_deinit(&a->walk);
    gather_deinit(&a->found);
    pthread_mutex_destroy(&a->lock);
}

/* Replies with wildcards, or without sense, are nobody's to wait for: no subscription takes them.
 */
static bool is_reply(const struct response *p)
{
    return subject_is_literal(sub_subject(response_sub(p)));
}

static void append(struct awaited *a, struct response *p)
{
    p->younger = NULL;
    p->older = a->last;
    *(a->last ? &a->last->younger : &a->first) = p;
    a->last = p;
    atomic_fetch_add(&a->n, 1);
}

static void take_out(struct awaited *a, struct response *p)
{
    *(p->older ? &p->older->younger : &a->first) = p->younger;
    *(p->younger ? &p->younger->older : &a->last) = p->older;
    atomic_fetch_sub(&a->n, 1);
}

struct response *awaited_add(struct awaited *a, struct response *p)
{
    struct response *oldest = NULL;

    sub_ref(response_sub(p));
    pthread_mutex_lock(&a->lock);
    if (atomic_load(&a->n) >= AWAITED_MAX) {
        oldest = a->first;
        sub_ref(response_sub(oldest));
    }
    append(a, p);
    if (is_reply(p)) {
        trie_add(&a->replies, response_sub(p));
    }
    pthread_mutex_unlock(&a->lock);
    return oldest;
}

void awaited_remove(struct awaited *a, struct response *p)
{
    pthread_mutex_lock(&a->lock);
    take_out(a, p);
    if (is_reply(p)) {
        trie_remove(&a->replies, response_sub(p));
    }
    pthread_mutex_unlock(&a->lock);
    sub_unref(response_sub(p));
}

struct match *awaited_find(struct awaited *a, struct str pattern)
{
    pthread_mutex_lock(&a->lock);
    trie_reverse(&a->replies, pattern, TRIE_COVERED, &a->walk, &a->found);
    struct match *m = gather_take(&a->found);
    pthread_mutex_unlock(&a->lock);
    return m;
}
