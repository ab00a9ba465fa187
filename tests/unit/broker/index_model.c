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

void model_add(struct model *m, struct str subject, struct str queue)
{
    struct sub *s = sub_new(m->next_id++, NULL, subject, queue, STR("1"));

    if (m->n == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 16;
        m->subs = mem_realloc(m->subs, m->cap * sizeof(struct sub *));
    }
    m->subs[m->n++] = s;
    index_add(m->ix, s);
    ENSURE(atomic_load(&s->refs) == 2);
    ENSURE(index_count(m->ix) == m->n);
    check_watches(m, subject);
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
    sub_unref(s);
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
        sub_unref(m->subs[k]);
    }
    memmove(m->subs + i, m->subs + i + n, (m->n - i - n) * sizeof(struct sub *));
    m->n -= n;
    ENSURE(index_count(m->ix) == m->n);
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

size_t model_check_match(struct model *m, struct str subject)
{
    struct index_watch watch = index_watch(m->ix, subject);
    uint64_t generation = 0;
    struct match *found = index_match(m->ix, 1, subject, &generation);
    size_t n = found ? check_groups(found) : 0;
    size_t n_wanted = 0;

    ENSURE(generation == index_generation(&watch));
    for (size_t i = 0; i < m->n; i++) {
        struct sub *s = m->subs[i];

        if (!subject_matches(subject, sub_subject(s))) {
            continue;
        }
        n_wanted++;
        ENSURE(found);
        ENSURE(s->queue_n ? find_group(found, s) != NULL
                          : find_sub(found->subs, found->n_plain, s) < found->n_plain);
        ENSURE(atomic_load(&s->refs) == 3);
    }
    ENSURE(n == n_wanted); // and all different, so nothing else was found
    ENSURE(!found || n > 0);
    match_free(found);
    return n;
}
