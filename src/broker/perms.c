/* SPDX-License-Identifier: Apache-2.0 */
/* Four lists of entries. Those with a queue are kept in a rule per queue pattern: there are few of
 * them, and only subscriptions, and messages to filtered ones, look at them. */
#include "broker/perms.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/quote.h"
#include "broker/subject_set.h"
#include "proto/subject.h"

#define DEFAULT_MAX_RESPONSES 1
#define DEFAULT_EXPIRES_NS (2 * 60 * CLOCK_SEC_NS)

/** The entries of a list for one queue or pattern of queues. */
struct rule {
    struct str queue;          // as written
    struct subject_set queues; // that alone
    struct subject_set subjects;
};

struct list {
    struct str *entries; // each a block of its own
    size_t n_entries;
    struct subject_set plain; // of entries without a queue
    struct rule *rules;
    size_t n_rules;
};

struct perms {
    _Atomic uint32_t refs;
    bool allows_responses;
    struct perms_responses responses;
    struct list lists[PERMS_LISTS];
};

struct perms *perms_new(void)
{
    struct perms *p = mem_zalloc(sizeof(*p));

    atomic_init(&p->refs, 1);
    return p;
}

struct perms *perms_ref(struct perms *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

static void list_deinit(struct list *l)
{
    for (size_t i = 0; i < l->n_rules; i++) {
        mem_free((void *)(uintptr_t)l->rules[i].queue.p);
        subject_set_deinit(&l->rules[i].queues);
        subject_set_deinit(&l->rules[i].subjects);
    }
    for (size_t i = 0; i < l->n_entries; i++) {
        mem_free((void *)(uintptr_t)l->entries[i].p);
    }
    subject_set_deinit(&l->plain);
    mem_free(l->rules);
    mem_free(l->entries);
}

void perms_unref(struct perms *p)
{
    if (p && atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) == 1) {
        for (unsigned i = 0; i < PERMS_LISTS; i++) {
            list_deinit(&p->lists[i]);
        }
        mem_free(p);
    }
}

/* ---- building */

static struct str copy(struct str s)
{
    return (struct str){.p = mem_strndup(s.p, s.n), .n = s.n};
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Takes the first word off a text; empty after the last. */
static struct str next_word(struct str *text)
{
    struct str word;

    while (text->n && is_space(*text->p)) {
        text->p++;
        text->n--;
    }
    word = (struct str){.p = text->p};
    while (text->n && !is_space(*text->p)) {
        text->p++;
        text->n--;
        word.n++;
    }
    return word;
}

/* Splits "subject queue"; what is not just two words is a subject, whatever it looks like. */
static void split_entry(struct str entry, struct str *subject, struct str *queue)
{
    struct str rest = entry;

    *subject = next_word(&rest);
    *queue = next_word(&rest);
    if (!queue->n || next_word(&rest).n) {
        *subject = entry;
        *queue = (struct str){0};
    }
}

/* Whether s is a subject that can be written in a SUB. A vertical tab can. */
static bool is_subject(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (is_space(s.p[i]) && s.p[i] != '\v') {
            return false;
        }
    }
    return subject_is_valid(s);
}

static enum status check_entry(struct str subject, struct str queue, struct buf *why)
{
    bool is_subject_wrong = !is_subject(subject);
    const char *kind = is_subject_wrong ? "subject" : "queue";

    if (!is_subject_wrong && (!queue.n || is_subject(queue))) {
        return ST_OK;
    }
    buf_printf(why, "%s ", kind);
    quote_go(why, is_subject_wrong ? subject : queue);
    buf_printf(why, " is not a valid %s", kind);
    return ST_BAD_VALUE;
}

/* The rule for a queue, made if there is none. */
static struct rule *get_rule(struct list *l, struct str queue)
{
    for (size_t i = 0; i < l->n_rules; i++) {
        if (str_equal(l->rules[i].queue, queue)) {
            return &l->rules[i];
        }
    }
    l->rules = mem_realloc(l->rules, (l->n_rules + 1) * sizeof(*l->rules));
    struct rule *r = &l->rules[l->n_rules++];

    *r = (struct rule){.queue = copy(queue)};
    subject_set_add(&r->queues, queue);
    return r;
}

enum status perms_add(struct perms *p, enum perms_list list, struct str entry, struct buf *why)
{
    struct list *l = &p->lists[list];
    struct str subject = entry;
    struct str queue = {0};

    if (list == PERMS_SUB_ALLOW || list == PERMS_SUB_DENY) {
        split_entry(entry, &subject, &queue);
    }
    enum status st = check_entry(subject, queue, why);
    if (st != ST_OK) {
        return st;
    }
    l->entries = mem_realloc(l->entries, (l->n_entries + 1) * sizeof(*l->entries));
    l->entries[l->n_entries++] = copy(entry);
    subject_set_add(queue.n ? &get_rule(l, queue)->subjects : &l->plain, subject);
    return ST_OK;
}

void perms_allow_responses(struct perms *p, int64_t max, int64_t expires_ns)
{
    p->allows_responses = true;
    p->responses.max = max ? max : DEFAULT_MAX_RESPONSES;
    p->responses.expires_ns = expires_ns ? expires_ns : DEFAULT_EXPIRES_NS;
}

/* ---- looking at them */

bool perms_allows_responses(const struct perms *p)
{
    return p->allows_responses;
}

struct perms_responses perms_responses(const struct perms *p)
{
    return p->responses;
}

const struct str *perms_entries(const struct perms *p, enum perms_list list, size_t *n)
{
    *n = p->lists[list].n_entries;
    return p->lists[list].entries;
}

static bool lists_are_equal(const struct list *a, const struct list *b)
{
    if (a->n_entries != b->n_entries) {
        return false;
    }
    for (size_t i = 0; i < a->n_entries; i++) {
        if (!str_equal(a->entries[i], b->entries[i])) {
            return false;
        }
    }
    return true;
}

bool perms_equal(const struct perms *a, const struct perms *b)
{
    if (a->allows_responses != b->allows_responses || a->responses.max != b->responses.max ||
        a->responses.expires_ns != b->responses.expires_ns) {
        return false;
    }
    for (unsigned i = 0; i < PERMS_LISTS; i++) {
        if (!lists_are_equal(&a->lists[i], &b->lists[i])) {
            return false;
        }
    }
    return true;
}

/* ---- asking them */

bool perms_may_publish(const struct perms *p, struct str subject)
{
    const struct list *allow = &p->lists[PERMS_PUB_ALLOW];

    if (allow->n_entries ? !subject_set_matches(&allow->plain, subject) : p->allows_responses) {
        return false;
    }
    return !subject_set_matches(&p->lists[PERMS_PUB_DENY].plain, subject);
}

/* Whether a subscription is allowed all that it matches. To begin with its wildcards are taken as
 * text, as nats-server does and leaves it at that: so one sees whether there are entries for
 * its queues, which then decide. */
static bool is_allowed(const struct list *l, struct str subject, struct str queue)
{
    bool has_rule = false;

    if (!l->n_entries) {
        return true;
    }
    for (size_t i = 0; queue.n && i < l->n_rules; i++) {
        const struct rule *r = &l->rules[i];

        if (subject_set_matches(&r->subjects, subject)) {
            has_rule = true;
            if (subject_set_covers(&r->queues, queue) &&
                subject_set_covers(&r->subjects, subject)) {
                return true;
            }
        }
    }
    return !has_rule && subject_set_matches(&l->plain, subject) &&
           subject_set_covers(&l->plain, subject);
}

/* Whether an entry that concerns the queue hits a subject. */
static bool is_hit(const struct list *l, struct str subject, struct str queue,
                   bool (*hits)(const struct subject_set *set, struct str subject))
{
    if (hits(&l->plain, subject)) {
        return true;
    }
    for (size_t i = 0; queue.n && i < l->n_rules; i++) {
        if (hits(&l->rules[i].subjects, subject) &&
            subject_set_covers(&l->rules[i].queues, queue)) {
            return true;
        }
    }
    return false;
}

/* Whether an entry denies a subject, its wildcards taken as text, to a queue. */
static bool is_denied(const struct list *l, struct str subject, struct str queue)
{
    return is_hit(l, subject, queue, subject_set_matches);
}

bool perms_may_subscribe(const struct perms *p, struct str subject, struct str queue)
{
    return is_allowed(&p->lists[PERMS_SUB_ALLOW], subject, queue) &&
           !is_denied(&p->lists[PERMS_SUB_DENY], subject, queue);
}

bool perms_needs_filter(const struct perms *p, struct str subject, struct str queue)
{
    return is_hit(&p->lists[PERMS_SUB_DENY], subject, queue, subject_set_overlaps);
}

bool perms_may_deliver(const struct perms *p, struct str subject, struct str queue)
{
    return !is_denied(&p->lists[PERMS_SUB_DENY], subject, queue);
}

/* A subject has one slot that it can be in. Only what is allowed is kept: who is refused may wait,
 * and may be granted the subject later. */
bool perms_cache_ask(struct perms_cache *c, const struct perms *p, struct str subject)
{
    if (!subject.n || subject.n > PERMS_CACHE_BYTES) {
        return perms_may_publish(p, subject);
    }
    uint32_t i = (uint32_t)hash_str(subject) % PERMS_CACHE_SLOTS;
    struct perms_cache_slot *slot = &c->slots[i];

    if (slot->n != subject.n || !bytes_equal(slot->subject, subject.p, subject.n)) {
        if (!perms_may_publish(p, subject)) {
            return false;
        }
        slot->n = (uint32_t)subject.n;
        memcpy(slot->subject, subject.p, subject.n);
    }
    c->last = i;
    return true;
}
