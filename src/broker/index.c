/* SPDX-License-Identifier: Apache-2.0 */
/* The subject index of an account: its locks and its generations around a trie.
 *
 * Lock: one mutex per reader; a reader takes its own, a writer all, in order of their numbers.
 * Generations: a change concerns every subject that its own subject matches. It bumps
 *   - `any` if its first token is a wildcard,
 *   - else the counter of its first token, if the second is absent or a wildcard,
 *   - else the counter of its first two tokens,
 * and a published subject watches all three. It is literal, so where the changed subject has
 * literal tokens both have the same, and the same counter; one token alone is not matched by two
 * literal ones. */
#include "broker/index.h"

#include <pthread.h>
#include <stdalign.h>

#include "base/hash.h"
#include "base/mem.h"
#include "broker/filter.h"
#include "broker/gather.h"
#include "broker/sub.h"
#include "broker/trie.h"
#include "proto/subject.h"

#define INDEX_COUNTERS 256u
#define INDEX_BATCH 256u // changes under one hold of the locks
#define INDEX_AHEAD 4u   // subscriptions fetched ahead

/** What a reader needs, and nobody else touches; guarded by its lock. */
struct reader {
    alignas(CACHE_LINE_BYTES) pthread_mutex_t lock;
    struct trie_walk walk;
    struct gather found;
};

struct index {
    struct trie trie; // guarded by: one reader's lock; all to change it
    unsigned n_readers;
    _Atomic uint64_t n_subs;
    _Atomic uint64_t any;                      // generation of subjects that begin with a wildcard
    _Atomic uint64_t counters[INDEX_COUNTERS]; // generations by hash of the first one or two tokens
    struct reader readers[];
};

static const _Atomic uint64_t g_never; // a generation that does not change

struct index *index_new(unsigned n_readers)
{
    struct index *ix = mem_zalloc_aligned(sizeof(*ix) + n_readers * sizeof(ix->readers[0]));

    ENSURE(n_readers > 0);
    ix->n_readers = n_readers;
    trie_init(&ix->trie);
    for (unsigned i = 0; i < n_readers; i++) {
        ENSURE(pthread_mutex_init(&ix->readers[i].lock, NULL) == 0);
    }
    return ix;
}

void index_free(struct index *ix)
{
    if (!ix) {
        return;
    }
    trie_deinit(&ix->trie);
    for (unsigned i = 0; i < ix->n_readers; i++) {
        trie_walk_deinit(&ix->readers[i].walk);
        gather_deinit(&ix->readers[i].found);
        pthread_mutex_destroy(&ix->readers[i].lock);
    }
    mem_free(ix);
}

static void lock_all(struct index *ix)
{
    for (unsigned i = 0; i < ix->n_readers; i++) {
        pthread_mutex_lock(&ix->readers[i].lock);
    }
}

static void unlock_all(struct index *ix)
{
    for (unsigned i = ix->n_readers; i-- > 0;) {
        pthread_mutex_unlock(&ix->readers[i].lock);
    }
}

static unsigned counter_of(const char *p, size_t n)
{
    return (unsigned)(hash_bytes(p, n) % INDEX_COUNTERS);
}

static bool is_wildcard(struct str token)
{
    return token.n == 1 && (token.p[0] == '*' || token.p[0] == '>');
}

/* After a change, with all locks held. */
static void bump_generation(struct index *ix, const struct sub *s)
{
    struct str rest = sub_subject(s);
    const char *start = rest.p;
    struct str first = subject_next_token(&rest);
    _Atomic uint64_t *counter = &ix->any;

    if (!is_wildcard(first)) {
        struct str second = rest.p ? subject_next_token(&rest) : (struct str){0};
        bool is_pair = second.n && !is_wildcard(second);

        counter = &ix->counters[counter_of(start, is_pair ? first.n + 1 + second.n : first.n)];
    }
    atomic_fetch_add_explicit(counter, 1, memory_order_release);
}

struct index_watch index_watch(struct index *ix, struct str subject)
{
    struct str rest = subject;
    struct str first = subject_next_token(&rest);
    struct index_watch w = {.any = &ix->any,
                            .first = &ix->counters[counter_of(subject.p, first.n)],
                            .second = &g_never};

    if (rest.p) {
        struct str second = subject_next_token(&rest);

        w.second = &ix->counters[counter_of(subject.p, first.n + 1 + second.n)];
    }
    return w;
}

void index_add(struct index *ix, struct sub *s)
{
    DCHECK(subject_is_valid(sub_subject(s)));
    sub_ref(s);
    lock_all(ix);
    trie_add(&ix->trie, s);
    bump_generation(ix, s);
    atomic_fetch_add_explicit(&ix->n_subs, 1, memory_order_relaxed);
    unlock_all(ix);
}

void index_touch(struct index *ix, const struct sub *s)
{
    lock_all(ix);
    bump_generation(ix, s);
    unlock_all(ix);
}

/* With all locks held; the reference is left to the caller. */
static bool remove_locked(struct index *ix, struct sub *s)
{
    if (!trie_remove(&ix->trie, s)) {
        return false;
    }
    bump_generation(ix, s);
    atomic_fetch_sub_explicit(&ix->n_subs, 1, memory_order_relaxed);
    return true;
}

bool index_remove(struct index *ix, struct sub *s)
{
    bool is_removed;

    lock_all(ix);
    is_removed = remove_locked(ix, s);
    unlock_all(ix);
    if (is_removed) {
        sub_unref(s);
    }
    return is_removed;
}

void index_remove_all(struct index *ix, struct sub *const *subs, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t end = n - i > INDEX_BATCH ? i + INDEX_BATCH : n;

        lock_all(ix);
        for (; i < end; i++) {
            if (i + INDEX_AHEAD < n) {
                __builtin_prefetch(subs[i + INDEX_AHEAD]);
            }
            if (remove_locked(ix, subs[i])) {
                sub_unref(subs[i]);
            }
        }
        unlock_all(ix);
    }
}

struct match *index_match(struct index *ix, unsigned reader, struct str subject,
                          uint64_t *generation)
{
    struct index_watch watch = index_watch(ix, subject);
    struct reader *r = &ix->readers[reader];
    struct match *m;

    DCHECK(reader < ix->n_readers);
    pthread_mutex_lock(&r->lock);
    trie_match(&ix->trie, subject, &r->walk, &r->found);
    m = gather_take(&r->found);
    *generation = index_generation(&watch);
    pthread_mutex_unlock(&r->lock);
    return filter_match(m, subject);
}

void match_free(struct match *m)
{
    if (!m) {
        return;
    }
    for (uint32_t i = 0; i < m->n_subs; i++) {
        if (i + INDEX_AHEAD < m->n_subs) {
            __builtin_prefetch(m->subs[i + INDEX_AHEAD], 1);
        }
        sub_unref(m->subs[i]);
    }
    mem_free(m);
}

uint64_t index_count(const struct index *ix)
{
    return atomic_load_explicit(&ix->n_subs, memory_order_relaxed);
}
