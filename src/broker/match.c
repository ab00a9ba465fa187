/* SPDX-License-Identifier: Apache-2.0 */
/* A set-associative cache. It begins small, and doubles while entries that are still good have to
 * make room for others. */
#include "broker/match.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "broker/account.h"
#include "broker/mapping.h"
#include "broker/sub.h"
#include "io/worker.h"

#define MATCH_WAYS 4u
#define FIRST_SETS 32u
#define LAST_SETS 4096u
#define MOST_SUBS (1u << 20) // in all matches, unless one alone has more
#define PURGE_NS (10 * CLOCK_SEC_NS)

static void drop_match(struct match_cache *c, struct match_entry *e)
{
    if (e->match) {
        c->n_subs -= e->match->n_subs;
        match_free(e->match);
        e->match = NULL;
    }
}

static void clear_entry(struct match_cache *c, struct match_entry *e)
{
    drop_match(c, e);
    mem_free(e->long_subject);
    *e = (struct match_entry){0};
}

void match_settle(struct match_cache *c)
{
    struct match_entry *next;

    for (struct match_entry *e = c->hit; e; e = next) {
        for (uint32_t i = 0; i < e->match->n_plain; i++) {
            atomic_fetch_add_explicit(&e->match->subs[i]->n_delivered, e->n_hits,
                                      memory_order_relaxed);
        }
        next = e->next_hit;
        e->n_hits = 0;
        e->next_hit = NULL;
    }
    c->hit = NULL;
}

static bool is_current(const struct match_entry *e)
{
    return index_generation(&e->watch) == e->generation;
}

static bool holds(const struct match_entry *e, uint64_t hash, const struct account *a,
                  struct str subject)
{
    return e->hash == hash && e->account == a && e->subject_n == subject.n &&
           memcmp(e->long_subject ? e->long_subject : e->subject, subject.p, subject.n) == 0;
}

/* Drops the entries that are out of date, and with them their hold on subscriptions. */
static void purge(struct timer *t)
{
    struct match_cache *c = CONTAINER_OF(t, struct match_cache, purge);
    bool is_empty = true;

    match_settle(c);
    for (uint32_t i = 0; i < c->n_sets * MATCH_WAYS; i++) {
        struct match_entry *e = &c->entries[i];

        if (e->account && !is_current(e)) {
            clear_entry(c, e);
        }
        is_empty = is_empty && !e->account;
    }
    if (!is_empty) {
        worker_set_timer(c->worker, &c->purge, c->worker->now_ns + PURGE_NS);
    }
}

void match_cache_init(struct match_cache *c, struct worker *w)
{
    *c = (struct match_cache){
        .n_sets = FIRST_SETS, .reader = w->index, .worker = w, .purge.fire = purge};
    c->entries = mem_zalloc((size_t)FIRST_SETS * MATCH_WAYS * sizeof(struct match_entry));
}

void match_cache_deinit(struct match_cache *c)
{
    for (uint32_t i = 0; i < c->n_sets * MATCH_WAYS; i++) {
        clear_entry(c, &c->entries[i]);
    }
    mem_free(c->entries);
    c->entries = NULL;
}

static struct match_entry *set_of(const struct match_cache *c, uint64_t hash)
{
    return &c->entries[(hash & (c->n_sets - 1)) * MATCH_WAYS];
}

/* Twice the sets; entries move, the oldest of an overfull set are dropped. */
static void grow(struct match_cache *c)
{
    struct match_entry *old = c->entries;
    uint32_t n_old = c->n_sets * MATCH_WAYS;

    c->n_sets *= 2;
    c->n_evicted = 0;
    c->entries = mem_zalloc((size_t)c->n_sets * MATCH_WAYS * sizeof(struct match_entry));
    for (uint32_t i = 0; i < n_old; i++) {
        struct match_entry *to = old[i].account ? set_of(c, old[i].hash) : NULL;
        struct match_entry *end = to ? to + MATCH_WAYS : NULL;

        while (to < end && to->account) {
            to++;
        }
        if (to < end) {
            *to = old[i];
        } else {
            clear_entry(c, &old[i]);
        }
    }
    mem_free(old);
}

/* An entry of the set to overwrite: an empty or outdated one, else the least recently used. */
static struct match_entry *choose_victim(struct match_cache *c, uint64_t hash)
{
    struct match_entry *set = set_of(c, hash);
    struct match_entry *oldest = set;

    for (uint32_t i = 0; i < MATCH_WAYS; i++) {
        if (!set[i].account || !is_current(&set[i])) {
            return &set[i];
        }
        if ((int32_t)(set[i].last_use - oldest->last_use) < 0) {
            oldest = &set[i];
        }
    }
    c->n_evicted++;
    return oldest;
}

/* First whether it is young, then whether it is limited: who limits it does so the other way round,
 * and has all caches forget what they know if it is not young any more (client_sub.c). */
static bool needs_tickets(struct sub *s)
{
    return atomic_load(&s->n_delivered) < SUB_YOUNG || atomic_load(&s->flags) & SUB_LIMITED;
}

void match_check_tickets(struct match_entry *e)
{
    e->needs_tickets = false;
    for (uint32_t i = 0; e->match && i < e->match->n_plain && !e->needs_tickets; i++) {
        e->needs_tickets = needs_tickets(e->match->subs[i]);
    }
}

/* Wide matches take memory: when they are too many, others than e have to go, in turn. */
static void make_room(struct match_cache *c, const struct match_entry *e)
{
    uint32_t n_entries = c->n_sets * MATCH_WAYS;

    for (uint32_t i = 0; i < n_entries && c->n_subs > MOST_SUBS; i++) {
        struct match_entry *victim = &c->entries[c->sweep++ % n_entries];

        if (victim != e) {
            clear_entry(c, victim);
        }
    }
}

/* Looks the subject up in the index, which may have changed since, and notes what it says. And in
 * the mappings, but then: they are replaced before the generation changes. */
static void refresh(struct match_cache *c, struct match_entry *e, struct str subject)
{
    drop_match(c, e);
    e->match = index_match(e->account->index, c->reader, subject, &e->generation);
    const struct mappings *mappings =
        atomic_load_explicit(&e->account->mappings, memory_order_acquire);
    e->mapping = mappings ? mappings_find_hashed(mappings, subject, e->hash) : NULL;
    if (e->match) {
        c->n_subs += e->match->n_subs;
        make_room(c, e);
    }
    match_check_tickets(e);
}

static struct match_entry *add(struct match_cache *c, const struct account *a, struct str subject,
                               uint64_t hash)
{
    match_settle(c); // an entry is about to be overwritten, or all to move
    if (c->n_evicted > c->n_sets && c->n_sets < LAST_SETS) {
        grow(c);
    }
    struct match_entry *e = choose_victim(c, hash);

    if (!timer_is_set(&c->purge)) {
        worker_set_timer(c->worker, &c->purge, c->worker->now_ns + PURGE_NS);
    }
    clear_entry(c, e);
    e->hash = hash;
    e->account = a;
    e->watch = index_watch(a->index, subject);
    e->subject_n = (uint32_t)subject.n;
    if (subject.n > MATCH_INLINE_BYTES) {
        e->long_subject = mem_strndup(subject.p, subject.n);
    } else {
        memcpy(e->subject, subject.p, subject.n);
    }
    refresh(c, e, subject);
    return e;
}

struct match_entry *match_find_slowly(struct match_cache *c, const struct account *a,
                                      struct str subject, struct match_hint *hint)
{
    uint64_t hash = hash_str(subject);
    struct match_entry *e = set_of(c, hash);
    struct match_entry *end = e + MATCH_WAYS;

    while (e < end && !holds(e, hash, a, subject)) {
        e++;
    }
    if (e == end) {
        e = add(c, a, subject, hash);
    } else if (!is_current(e)) {
        match_settle(c);
        refresh(c, e, subject);
    }
    e->last_use = ++c->uses;
    *hint = (struct match_hint){.entry = e, .n_sets = c->n_sets};
    return e;
}
