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
 * literal ones.
 *
 * Listeners: while there are any, a change also holds their lock, which comes before those of the
 * readers, and keeps it until they have been told. So whoever holds it sees the trie stand still,
 * without a lock of a reader. */
#include "broker/index.h"

#include <pthread.h>
#include <stdalign.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/ptrset.h"
#include "broker/filter.h"
#include "broker/gather.h"
#include "broker/interest.h"
#include "broker/leaf.h"
#include "broker/sub.h"
#include "broker/trie.h"
#include "conn/handle.h"
#include "proto/subject.h"

#define INDEX_COUNTERS 256u
#define INDEX_BATCH 256u // changes under one hold of the locks
#define INDEX_AHEAD 4u   // subscriptions fetched ahead

/** What a reader needs, and nobody else touches; guarded by its lock. */
struct reader {
    alignas(CACHE_LINE_BYTES) pthread_mutex_t lock;
    struct trie_walk walk;
    struct gather found;
    uint64_t n_matches, n_found; // how often it looked, and for how many subscriptions in all
    uint32_t max_found;
};

struct index {
    struct trie trie;  // guarded by: one reader's lock; all to change it
    struct ptrset own; // of what is in the trie, that has no owner; guarded likewise
    unsigned n_readers;
    _Atomic uint64_t n_subs, n_removed;
    _Atomic uint64_t any;                      // generation of subjects that begin with a wildcard
    _Atomic uint64_t counters[INDEX_COUNTERS]; // generations by hash of the first one or two tokens
    struct interest interest;
    struct reader readers[];
};

static const _Atomic uint64_t g_never; // a generation that does not change

struct index *index_new(unsigned n_readers)
{
    struct index *ix = mem_zalloc_aligned(sizeof(*ix) + n_readers * sizeof(ix->readers[0]));

    ENSURE(n_readers > 0);
    ix->n_readers = n_readers;
    trie_init(&ix->trie);
    interest_init(&ix->interest);
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
    ptrset_deinit(&ix->own);
    interest_deinit(&ix->interest);
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

/* Begins a change: from here to end_change nobody else makes one.
 * @return  whether there are listeners; if so no change can be made until they have been told */
static bool begin_change(struct index *ix)
{
    for (;;) {
        bool is_heard = interest_is_on(&ix->interest);

        if (UNLIKELY(is_heard)) {
            pthread_mutex_lock(&ix->interest.lock);
        }
        lock_all(ix);
        if (LIKELY(is_heard == interest_is_on(&ix->interest))) {
            return is_heard;
        }
        unlock_all(ix); // the first listener came, or the last went
        if (is_heard) {
            pthread_mutex_unlock(&ix->interest.lock);
        }
    }
}

/* With the listeners' lock, or all others: whether so many subscriptions have the subject and queue
 * of s. */
static bool has_alike(const struct index *ix, const struct sub *s, uint32_t n)
{
    return leaf_count(trie_find(&ix->trie, sub_subject(s)), sub_queue(s)) == n;
}

/* Ends a change, in which s (NULL: nothing) was added, or removed; and tells the listeners. */
static void end_change(struct index *ix, bool is_heard, const struct sub *s, bool is_added)
{
    unlock_all(ix);
    if (LIKELY(!is_heard)) {
        return;
    }
    if (s && has_alike(ix, s, is_added ? 1 : 0)) {
        interest_tell(&ix->interest, &(struct interest_change){.subject = sub_subject(s),
                                                               .queue = sub_queue(s),
                                                               .is_there = is_added});
    }
    pthread_mutex_unlock(&ix->interest.lock);
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

/* With all locks held; the reference is the index's. */
static void add_locked(struct index *ix, struct sub *take_s)
{
    DCHECK(subject_is_valid(sub_subject(take_s)));
    trie_add(&ix->trie, take_s);
    if (UNLIKELY(take_s->owner == HANDLE_NONE)) {
        ptrset_add(&ix->own, ptrset_hash_pointer(take_s, NULL), take_s, ptrset_hash_pointer, NULL);
    }
    bump_generation(ix, take_s);
    atomic_fetch_add_explicit(&ix->n_subs, 1, memory_order_relaxed);
}

void index_add(struct index *ix, struct sub *s)
{
    bool is_heard = begin_change(ix);

    add_locked(ix, sub_ref(s));
    end_change(ix, is_heard, s, true);
}

void index_touch(struct index *ix, const struct sub *s)
{
    lock_all(ix);
    bump_generation(ix, s);
    unlock_all(ix);
}

void index_touch_all(struct index *ix)
{
    lock_all(ix);
    atomic_fetch_add_explicit(&ix->any, 1, memory_order_release); // every subject watches it
    unlock_all(ix);
}

/* With all locks held; the reference is left to the caller. */
static bool remove_locked(struct index *ix, struct sub *s)
{
    if (!trie_remove(&ix->trie, s)) {
        return false;
    }
    if (UNLIKELY(s->owner == HANDLE_NONE)) {
        ptrset_remove(&ix->own, ptrset_hash_pointer(s, NULL), s, ptrset_hash_pointer, NULL);
    }
    bump_generation(ix, s);
    atomic_fetch_sub_explicit(&ix->n_subs, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&ix->n_removed, 1, memory_order_relaxed);
    return true;
}

bool index_remove(struct index *ix, struct sub *s)
{
    bool is_heard = begin_change(ix);
    bool is_removed = remove_locked(ix, s);

    end_change(ix, is_heard, is_removed ? s : NULL, false);
    if (is_removed) {
        sub_unref(s);
    }
    return is_removed;
}

void index_remove_all(struct index *ix, struct sub *const *subs, size_t n)
{
    for (size_t i = 0; i < n;) {
        bool is_heard = begin_change(ix);
        size_t batch = is_heard ? 1 : INDEX_BATCH; // each is told by itself
        size_t end = n - i > batch ? i + batch : n;
        struct sub *last = NULL;

        for (; i < end; i++) {
            if (i + INDEX_AHEAD < n) {
                __builtin_prefetch(subs[i + INDEX_AHEAD]);
            }
            if (remove_locked(ix, subs[i])) {
                last = subs[i];
                sub_unref(last);
            }
        }
        end_change(ix, is_heard, last, false);
    }
}

static void tell_each(struct index *ix, struct sub *const *subs, size_t n, bool is_there)
{
    for (size_t i = 0; i < n; i++) {
        interest_tell(&ix->interest, &(struct interest_change){.subject = sub_subject(subs[i]),
                                                               .queue = sub_queue(subs[i]),
                                                               .is_there = is_there});
    }
}

/* What comes is added first, so that nobody is told of the end of what only changes hands. */
void index_exchange(struct index *ix, struct sub *const *out, size_t n_out, struct sub *const *in,
                    size_t n_in)
{
    bool is_heard = begin_change(ix);
    struct sub **told = is_heard ? mem_alloc((n_in + n_out) * sizeof(struct sub *)) : NULL;
    size_t n_first = 0; // of those told of: that have come
    size_t n_told;

    for (size_t i = 0; i < n_in; i++) {
        add_locked(ix, sub_ref(in[i]));
        if (is_heard && has_alike(ix, in[i], 1)) {
            told[n_first++] = in[i];
        }
    }
    n_told = n_first;
    for (size_t i = 0; i < n_out; i++) {
        if (!remove_locked(ix, out[i])) {
            continue;
        }
        if (is_heard && has_alike(ix, out[i], 0)) {
            told[n_told++] = out[i];
        }
        sub_unref(out[i]);
    }
    unlock_all(ix);
    if (is_heard) {
        tell_each(ix, told, n_first, true);
        tell_each(ix, told + n_first, n_told - n_first, false);
        pthread_mutex_unlock(&ix->interest.lock);
    }
    mem_free(told);
}

/* With the reader's lock held. */
static void note_match(struct reader *r, const struct match *m)
{
    uint32_t n = m ? m->n_subs : 0;

    r->n_matches++;
    r->n_found += n;
    r->max_found = n > r->max_found ? n : r->max_found;
}

static struct match *match_all(struct index *ix, unsigned reader, struct str subject,
                               uint64_t *generation)
{
    struct index_watch watch = index_watch(ix, subject);
    struct reader *r = &ix->readers[reader];
    struct match *m;

    DCHECK(reader < ix->n_readers);
    pthread_mutex_lock(&r->lock);
    trie_match(&ix->trie, subject, &r->walk, &r->found);
    m = gather_take(&r->found);
    note_match(r, m);
    *generation = index_generation(&watch);
    pthread_mutex_unlock(&r->lock);
    return m;
}

struct match *index_match(struct index *ix, unsigned reader, struct str subject,
                          uint64_t *generation)
{
    return filter_match(match_all(ix, reader, subject, generation), subject);
}

struct match *index_match_all(struct index *ix, unsigned reader, struct str subject)
{
    uint64_t generation;

    return match_all(ix, reader, subject, &generation);
}

bool index_has_interest(struct index *ix, unsigned reader, struct str subject)
{
    struct reader *r = &ix->readers[reader];
    bool is_found;

    DCHECK(reader < ix->n_readers);
    pthread_mutex_lock(&r->lock);
    is_found = trie_reaches(&ix->trie, subject, &r->walk, &r->found);
    pthread_mutex_unlock(&r->lock);
    return is_found;
}

/* In a subject a "*" is matched by wildcards alone, so who matches a pattern without ">" covers it.
 */
bool index_covers(struct index *ix, unsigned reader, struct str pattern)
{
    struct reader *r = &ix->readers[reader];
    bool is_full = pattern.p[pattern.n - 1] == '>';
    bool is_found;

    DCHECK(reader < ix->n_readers);
    pthread_mutex_lock(&r->lock);
    is_found = is_full ? trie_find(&ix->trie, pattern).bits != 0
                       : trie_reaches(&ix->trie, pattern, &r->walk, &r->found);
    pthread_mutex_unlock(&r->lock);
    return is_found;
}

struct match *index_reverse_match(struct index *ix, unsigned reader, struct str pattern,
                                  enum trie_relation relation)
{
    struct reader *r = &ix->readers[reader];
    struct match *m;

    DCHECK(reader < ix->n_readers && subject_is_valid(pattern));
    pthread_mutex_lock(&r->lock);
    trie_reverse(&ix->trie, pattern, relation, &r->walk, &r->found);
    m = gather_take(&r->found);
    pthread_mutex_unlock(&r->lock);
    return m;
}

uint64_t index_count_matches(struct index *ix, unsigned reader, const struct index_census *census)
{
    struct reader *r = &ix->readers[reader];
    uint64_t n;

    DCHECK(reader < ix->n_readers);
    if (!subject_is_valid(census->subject)) {
        return 0;
    }
    pthread_mutex_lock(&r->lock);
    if (subject_is_literal(census->subject)) {
        trie_match(&ix->trie, census->subject, &r->walk, &r->found);
    } else {
        trie_reverse(&ix->trie, census->subject, TRIE_COVERED, &r->walk, &r->found);
    }
    n = gather_count(&r->found, census->queue, census->counts);
    pthread_mutex_unlock(&r->lock);
    return n;
}

static void tell_present(struct str subject, struct str queue, void *arg)
{
    struct interest_listener *l = arg;

    l->on_change(l,
                 &(struct interest_change){.subject = subject, .queue = queue, .is_there = true});
}

/* Tells a listener of all that is there. With the listeners' lock. */
static void tell_all(const struct index *ix, struct interest_listener *l)
{
    struct trie_walk walk = {0};
    struct gather found = {0};

    trie_reverse(&ix->trie, STR(">"), TRIE_OVERLAPS, &walk, &found);
    for (uint32_t i = 0; i < found.n_leaves; i++) {
        leaf_each_queue(found.leaves[i], tell_present, l);
    }
    gather_deinit(&found);
    trie_walk_deinit(&walk);
}

bool index_add_listener(struct index *ix, struct interest_listener *l)
{
    bool is_for_all = !l->subject.n && !l->queue.n;
    bool is_added;

    if (!is_for_all && !subject_is_literal(l->subject)) {
        return false;
    }
    pthread_mutex_lock(&ix->interest.lock);
    is_added = interest_add(&ix->interest, l);
    lock_all(ix); // until now there may have been changes by those who saw no listener
    unlock_all(ix);
    if (is_added && is_for_all) {
        tell_all(ix, l);
    } else if (is_added) {
        struct leaf leaf = trie_find(&ix->trie, l->subject);

        l->on_change(l, &(struct interest_change){.subject = l->subject,
                                                  .queue = l->queue,
                                                  .is_there = leaf_count(leaf, l->queue) > 0});
    }
    pthread_mutex_unlock(&ix->interest.lock);
    return is_added;
}

bool index_remove_listener(struct index *ix, struct interest_listener *l)
{
    bool is_removed;

    pthread_mutex_lock(&ix->interest.lock);
    is_removed = interest_remove(&ix->interest, l);
    pthread_mutex_unlock(&ix->interest.lock);
    return is_removed;
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

struct sub **index_list_own(struct index *ix, unsigned reader, size_t *n)
{
    struct reader *r = &ix->readers[reader];
    struct sub **list;
    uint32_t at = 0;

    DCHECK(reader < ix->n_readers);
    *n = 0;
    pthread_mutex_lock(&r->lock);
    list = mem_alloc((ix->own.n + 1) * sizeof(struct sub *));
    for (struct sub *s; (s = ptrset_next(&ix->own, &at)) != NULL;) {
        list[(*n)++] = sub_ref(s);
    }
    pthread_mutex_unlock(&r->lock);
    return list;
}

void index_stats(struct index *ix, struct index_stats *out)
{
    out->n_subs += index_count(ix);
    out->n_removed += atomic_load_explicit(&ix->n_removed, memory_order_relaxed);
    for (unsigned i = 0; i < ix->n_readers; i++) {
        struct reader *r = &ix->readers[i];

        pthread_mutex_lock(&r->lock);
        out->n_matches += r->n_matches;
        out->n_found += r->n_found;
        out->max_found = r->max_found > out->max_found ? r->max_found : out->max_found;
        pthread_mutex_unlock(&r->lock);
    }
}
