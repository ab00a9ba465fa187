/* SPDX-License-Identifier: Apache-2.0 */
/* The naive side of the comparison; see index_model.h. */
#include "index_model.h"

#include "base/attr.h"
#include "base/mem.h"
#include "proto/subject.h"

void model_init(struct model *m)
{
    *m = (struct model){.ix = index_new(2)};
}

void model_deinit(struct model *m)
{
    for (size_t i = 0; i < MODEL_LISTENERS; i++) {
        ENSURE(index_remove_listener(m->ix, &m->listeners[i].l) == m->listeners[i].is_on);
    }
    index_free(m->ix);
    for (size_t i = 0; i < m->n; i++) {
        ENSURE(atomic_load(&m->subs[i]->refs) == 1);
        sub_unref(m->subs[i]);
    }
    mem_free(m->subs);
}

void model_watch(struct model *m, struct str subject)
{
    struct model_watch *w = &m->watches[m->n_watches++];

    ENSURE(m->n_watches <= MODEL_WATCHES && subject.n <= sizeof(w->bytes));
    memcpy(w->bytes, subject.p, subject.n);
    w->subject = (struct str){.p = w->bytes, .n = subject.n};
    w->watch = index_watch(m->ix, w->subject);
    w->generation = index_generation(&w->watch);
}

/* After one change of `changed`: those whom it concerns must have been told. */
static void check_watches(struct model *m, struct str changed)
{
    for (size_t i = 0; i < m->n_watches; i++) {
        struct model_watch *w = &m->watches[i];
        uint64_t now = index_generation(&w->watch);

        ENSURE(now >= w->generation);
        ENSURE(now != w->generation || !subject_matches(w->subject, changed));
        w->generation = now;
    }
}

/* Subscriptions with this very subject and queue. */
static size_t count_alike(const struct model *m, struct str subject, struct str queue)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n; i++) {
        n += str_equal(sub_subject(m->subs[i]), subject) && str_equal(sub_queue(m->subs[i]), queue);
    }
    return n;
}

static void on_change(struct interest_listener *l, const struct interest_change *change)
{
    struct model_listener *ml = (struct model_listener *)(void *)l;
    bool is_for_all = !l->subject.n;

    ENSURE(is_for_all ||
           (str_equal(change->subject, l->subject) && str_equal(change->queue, l->queue)));
    ENSURE(is_for_all || !ml->is_told || change->is_there == (ml->n_there == 0));
    ENSURE(change->is_there || ml->n_there > 0 || !ml->is_told);
    ml->is_told = true;
    if (change->is_there) {
        ml->n_there++;
    } else if (ml->n_there) {
        ml->n_there--;
    }
}

/* After a change, or when a listener began: what all of them know. */
static void check_listeners(const struct model *m)
{
    for (size_t i = 0; i < MODEL_LISTENERS; i++) {
        const struct model_listener *ml = &m->listeners[i];

        if (ml->is_on) {
            ENSURE(ml->n_there == (i ? count_alike(m, ml->l.subject, ml->l.queue) > 0 : m->n_keys));
            ENSURE(ml->is_told || i == 0);
        }
    }
}

void model_toggle_listener(struct model *m, size_t i, struct str subject, struct str queue)
{
    struct model_listener *ml = &m->listeners[i];
    bool is_possible = i == 0 || subject_is_literal(subject);

    if (ml->is_on) {
        ENSURE(!index_add_listener(m->ix, &ml->l));
        ENSURE(index_remove_listener(m->ix, &ml->l));
        ENSURE(!index_remove_listener(m->ix, &ml->l));
        ml->is_on = false;
        return;
    }
    ENSURE(subject.n + queue.n <= sizeof(ml->bytes));
    *ml = (struct model_listener){.l.on_change = on_change, .is_on = is_possible};
    if (i) {
        memcpy(ml->bytes, subject.p, subject.n);
        memcpy(ml->bytes + subject.n, queue.p, queue.n);
        ml->l.subject = (struct str){.p = ml->bytes, .n = subject.n};
        ml->l.queue = (struct str){.p = ml->bytes + subject.n, .n = queue.n};
    }
    if (i && !subject.n) {
        ml->l.queue = STR("q"); // with a queue as well it would listen to all
    }
    ENSURE(index_add_listener(m->ix, &ml->l) == is_possible);
    check_listeners(m);
}

/* A subscription, in the list only. */
static struct sub *list_new(struct model *m, struct str subject, struct str queue)
{
    struct sub *s = sub_new(m->next_id++, NULL, subject, queue, STR("1"));

    if (m->n == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 16;
        m->subs = mem_realloc(m->subs, m->cap * sizeof(struct sub *));
    }
    m->subs[m->n++] = s;
    return s;
}

void model_add(struct model *m, struct str subject, struct str queue)
{
    bool is_first = count_alike(m, subject, queue) == 0;
    struct sub *s = list_new(m, subject, queue);

    index_add(m->ix, s);
    ENSURE(atomic_load(&s->refs) == 2);
    ENSURE(index_count(m->ix) == m->n);
    check_watches(m, subject);
    m->n_keys += is_first;
    check_listeners(m);
}

/* After s has been taken from the list. */
static void note_removed(struct model *m, const struct sub *s)
{
    m->n_keys -= count_alike(m, sub_subject(s), sub_queue(s)) == 0;
}

void model_remove(struct model *m, size_t i)
{
    struct sub *s = m->subs[i];

    m->subs[i] = m->subs[--m->n];
    ENSURE(index_remove(m->ix, s));
    check_watches(m, sub_subject(s));
    ENSURE(!index_remove(m->ix, s));
    ENSURE(atomic_load(&s->refs) == 1);
    ENSURE(index_count(m->ix) == m->n);
    note_removed(m, s);
    check_listeners(m);
    sub_unref(s);
}

void model_exchange(struct model *m, size_t i, struct str subject, struct str queue)
{
    struct sub *out = m->subs[i];
    bool is_first = count_alike(m, subject, queue) == 0;
    struct sub *in[2];

    in[0] = list_new(m, subject, queue);
    in[1] = list_new(m, sub_subject(out), sub_queue(out));
    m->subs[i] = m->subs[--m->n];
    index_exchange(m->ix, &out, 1, in, ARRAY_SIZE(in));
    ENSURE(index_count(m->ix) == m->n);
    check_watches(m, subject);
    m->n_keys += is_first;
    check_listeners(m);
    ENSURE(atomic_load(&out->refs) == 1 && atomic_load(&in[0]->refs) == 2);
    sub_unref(out);
}

void model_remove_all(struct model *m, size_t i, size_t n)
{
    uint64_t before[MODEL_WATCHES];

    for (size_t w = 0; w < m->n_watches; w++) {
        before[w] = m->watches[w].generation;
    }
    index_remove_all(m->ix, m->subs + i, n);
    for (size_t k = i; k < i + n; k++) {
        for (size_t w = 0; w < m->n_watches; w++) {
            m->watches[w].generation = before[w];
        }
        ENSURE(atomic_load(&m->subs[k]->refs) == 1);
        check_watches(m, sub_subject(m->subs[k]));
    }
    for (size_t k = 0; k < n; k++) {
        struct sub *s = m->subs[i];

        memmove(m->subs + i, m->subs + i + 1, (--m->n - i) * sizeof(struct sub *));
        note_removed(m, s);
        sub_unref(s);
    }
    ENSURE(index_count(m->ix) == m->n);
    check_listeners(m);
}

/* Where s is among n subscriptions; n if it is not. */
static size_t find_sub(struct sub *const *subs, size_t n, const struct sub *s)
{
    size_t i = 0;

    while (i < n && subs[i] != s) {
        i++;
    }
    return i;
}

/* The group of a match in which s is, or NULL. */
static const struct match_group *find_group(const struct match *found, const struct sub *s)
{
    for (uint32_t i = 0; i < found->n_groups; i++) {
        const struct match_group *g = &found->groups[i];

        if (find_sub(found->subs + g->first, g->n, s) < g->n) {
            return g;
        }
    }
    return NULL;
}

/* Groups are not empty, follow one another, and have one name each that no other has. */
static size_t check_groups(const struct match *found)
{
    uint32_t next = found->n_plain;

    ENSURE((found->groups == NULL) == (found->n_groups == 0));
    for (uint32_t i = 0; i < found->n_groups; i++) {
        const struct match_group *g = &found->groups[i];
        struct str name = sub_queue(found->subs[g->first]);

        ENSURE(g->first == next && g->n > 0);
        for (uint32_t k = 0; k < g->n; k++) {
            ENSURE(str_equal(sub_queue(found->subs[g->first + k]), name));
        }
        for (uint32_t k = 0; k < i; k++) {
            ENSURE(!str_equal(sub_queue(found->subs[found->groups[k].first]), name));
        }
        next += g->n;
    }
    return next;
}

/* What the index counts for a subject: members of the group `queue`, or all if that is empty. */
static uint64_t ask_count(struct model *m, struct str subject, struct str queue)
{
    struct index_census census = {.subject = subject, .queue = queue};

    return index_count_matches(m->ix, 1, &census);
}

/* The i-th token of a pattern, the first being the 0th, if it is literal; else of the other; else
 * one that occurs nowhere. */
static struct str token_at(struct str a, struct str b, size_t i)
{
    struct str both[] = {a, b};

    for (size_t k = 0; k < ARRAY_SIZE(both); k++) {
        struct str token = {0};

        for (size_t t = 0; t <= i; t++) {
            token = both[k].p ? subject_next_token(&both[k]) : STR(">");
        }
        if (!str_equal(token, STR("*")) && !str_equal(token, STR(">"))) {
            return token;
        }
    }
    return STR("\1");
}

/* A published subject of n tokens made of two patterns; if there is one that both match, of this
 * length, then both match this one. */
static struct str make_subject(struct str a, struct str b, size_t n, char out[256])
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        struct str token = token_at(a, b, i);

        if (i) {
            out[len++] = '.';
        }
        memcpy(out + len, token.p, token.n);
        len += token.n;
    }
    return (struct str){.p = out, .n = len};
}

/* By what the relations mean: subjects of all lengths that make a difference are tried. */
static bool are_related(struct str subject, struct str pattern, enum trie_relation relation)
{
    struct str other = relation == TRIE_OVERLAPS ? pattern : STR(">");
    size_t n_subject = subject_count_tokens(subject);
    size_t n_pattern = subject_count_tokens(pattern);
    size_t most = (n_subject > n_pattern ? n_subject : n_pattern) + 1;
    char bytes[256];

    for (size_t n = 1; n <= most; n++) {
        struct str made = make_subject(subject, other, n, bytes);
        bool is_hit = subject_matches(made, pattern);

        if (subject_matches(made, subject) && is_hit == (relation == TRIE_OVERLAPS)) {
            return is_hit;
        }
    }
    return relation == TRIE_COVERED;
}

size_t model_check_reverse(struct model *m, struct str pattern, enum trie_relation relation)
{
    struct match *found = index_reverse_match(m->ix, 1, pattern, relation);
    size_t n = found ? check_groups(found) : 0;
    size_t n_wanted = 0;
    size_t n_members = 0;

    for (size_t i = 0; i < m->n; i++) {
        struct sub *s = m->subs[i];

        if (!are_related(sub_subject(s), pattern, relation)) {
            continue;
        }
        n_wanted++;
        n_members += str_equal(sub_queue(s), STR("q"));
        ENSURE(found && find_sub(found->subs, found->n_subs, s) < found->n_subs);
    }
    ENSURE(n == n_wanted && (!found || n == found->n_subs));
    if (relation == TRIE_COVERED && !subject_is_literal(pattern)) {
        ENSURE(ask_count(m, pattern, (struct str){0}) == n);
        ENSURE(ask_count(m, pattern, STR("q")) == n_members);
    }
    match_free(found);
    return n;
}

size_t model_check_match(struct model *m, struct str subject)
{
    struct index_watch watch = index_watch(m->ix, subject);
    uint64_t generation = 0;
    struct match *found = index_match(m->ix, 1, subject, &generation);
    size_t n = found ? check_groups(found) : 0;
    size_t n_wanted = 0;
    size_t n_members = 0;

    ENSURE(generation == index_generation(&watch));
    for (size_t i = 0; i < m->n; i++) {
        struct sub *s = m->subs[i];

        if (!subject_matches(subject, sub_subject(s))) {
            continue;
        }
        n_wanted++;
        n_members += str_equal(sub_queue(s), STR("q"));
        ENSURE(found);
        ENSURE(s->queue_n ? find_group(found, s) != NULL
                          : find_sub(found->subs, found->n_plain, s) < found->n_plain);
        ENSURE(atomic_load(&s->refs) == 3);
    }
    ENSURE(n == n_wanted); // and all different, so nothing else was found
    ENSURE(!found || n > 0);
    ENSURE(index_has_interest(m->ix, 1, subject) == (n > 0));
    if (subject_is_literal(subject)) {
        ENSURE(ask_count(m, subject, (struct str){0}) == n);
        ENSURE(ask_count(m, subject, STR("q")) == n_members);
    } else if (!subject_is_valid(subject)) {
        ENSURE(ask_count(m, subject, (struct str){0}) == 0);
    }
    match_free(found);
    return n;
}
