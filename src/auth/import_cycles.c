/* SPDX-License-Identifier: Apache-2.0 */
/* Services: imports are the nodes of a graph. One leads to another one of the exporting account
 * when the subjects may meet; a search in depth finds the way back.
 *
 * Streams: which imports are part of a circle must not depend on the order in which they are looked
 * at. So all are suspected at first, and one is cleared when no way over those suspected leads back
 * to its account; this goes on until nothing changes. */
#include "auth/import_cycles.h"

#include <stdint.h>

#include "base/mem.h"
#include "broker/tenancy.h"
#include "proto/pattern.h"

#define MAX_DEPTH 1024 // accounts in a chain of imports

enum mark { UNSEEN, ON_THE_WAY, DONE };

struct search {
    const struct tenancy *t;
    size_t *first;    // of each tenant: the number of its first import
    size_t n_imports; // of all
    uint8_t *marks;   // SERVICE: enum mark of each import; STREAM: whether it is suspected
    bool *visited;    // STREAM: tenants on the present search
    struct import_cycle *out;
};

static void init(struct search *s, const struct tenancy *t, struct import_cycle *out)
{
    *s = (struct search){.t = t, .out = out};
    s->first = mem_alloc((t->n + 1) * sizeof(*s->first));
    for (size_t i = 0; i < t->n; i++) {
        s->first[i] = s->n_imports;
        s->n_imports += t->at[i].n_imports;
    }
    s->marks = mem_zalloc(s->n_imports + 1);
    s->visited = mem_zalloc((t->n + 1) * sizeof(*s->visited));
}

static void deinit(struct search *s)
{
    mem_free(s->first);
    mem_free(s->marks);
    mem_free(s->visited);
}

static size_t tenant_number(const struct search *s, const struct tenant *owner)
{
    return (size_t)(owner - s->t->at);
}

static uint8_t *mark_of(const struct search *s, const struct tenant *owner, const struct import *i)
{
    return &s->marks[s->first[tenant_number(s, owner)] + (size_t)(i - owner->imports)];
}

static bool report(struct search *s, const struct import *i, bool is_too_deep)
{
    *s->out = (struct import_cycle){.import = i, .is_too_deep = is_too_deep};
    return true;
}

/* ---- services */

/* Follows the requests that an import forwards. @return whether that is reported */
static bool follow(struct search *s, const struct tenant *owner, const struct import *i,
                   unsigned depth)
{
    const struct tenant *from = i->from;

    if (depth >= MAX_DEPTH) {
        return report(s, i, true);
    }
    *mark_of(s, owner, i) = ON_THE_WAY;
    for (const struct import *next = from->imports; next < from->imports + from->n_imports;
         next++) {
        uint8_t mark = *mark_of(s, from, next);

        if (!next->is_service || next == i || mark == DONE ||
            !pattern_overlaps(i->subject, next->local)) {
            continue;
        }
        if (mark == ON_THE_WAY) {
            return report(s, i, false);
        }
        if (follow(s, from, next, depth + 1)) {
            return true;
        }
    }
    *mark_of(s, owner, i) = DONE;
    return false;
}

bool import_cycle_find_service(const struct tenancy *t, struct import_cycle *out)
{
    struct search s;
    bool is_found = false;

    init(&s, t, out);
    for (const struct tenant *a = t->at; a < t->at + t->n; a++) {
        for (size_t i = 0; i < a->n_imports && !is_found; i++) {
            const struct import *import = &a->imports[i];

            is_found =
                import->is_service && *mark_of(&s, a, import) == UNSEEN && follow(&s, a, import, 0);
        }
    }
    deinit(&s);
    return is_found;
}

/* ---- streams */

static bool exports(const struct tenant *t, struct str subject)
{
    for (size_t i = 0; i < t->n_exports; i++) {
        if (!t->exports[i].is_service && pattern_covers(t->exports[i].subject, subject)) {
            return true;
        }
    }
    return false;
}

/* Whether a tenant has the subject from `owner`, by way of suspected imports other than `self`. */
static bool leads_to(struct search *s, const struct tenant *at, struct str subject,
                     const struct tenant *owner, const struct import *self)
{
    if (s->visited[tenant_number(s, at)] || !exports(at, subject)) {
        return false;
    }
    for (const struct import *i = at->imports; i < at->imports + at->n_imports; i++) {
        if (i->is_service || i == self || !*mark_of(s, at, i) ||
            !pattern_overlaps(subject, i->local)) {
            continue;
        }
        if (i->from == owner) {
            return true;
        }
        s->visited[tenant_number(s, at)] = true;
        if (leads_to(s, i->from, pattern_covers(subject, i->local) ? i->local : subject, owner,
                     self)) {
            return true;
        }
    }
    return false;
}

static bool is_in_circle(struct search *s, const struct tenant *owner, const struct import *i)
{
    bool is;

    memset(s->visited, 0, s->t->n * sizeof(*s->visited));
    is = leads_to(s, i->from, i->local, owner, i);
    memset(s->visited, 0, s->t->n * sizeof(*s->visited));
    return is || leads_to(s, i->from, i->subject, owner, i);
}

/* @return whether a suspect was cleared */
static bool clear_suspects(struct search *s)
{
    bool is_changed = false;

    for (const struct tenant *a = s->t->at; a < s->t->at + s->t->n; a++) {
        for (const struct import *i = a->imports; i < a->imports + a->n_imports; i++) {
            uint8_t *is_suspected = mark_of(s, a, i);

            if (*is_suspected && !is_in_circle(s, a, i)) {
                *is_suspected = false;
                is_changed = true;
            }
        }
    }
    return is_changed;
}

bool import_cycle_find_stream(const struct tenancy *t, struct import_cycle *out)
{
    struct search s;
    bool is_found = false;

    init(&s, t, out);
    for (const struct tenant *a = t->at; a < t->at + t->n; a++) {
        for (const struct import *i = a->imports; i < a->imports + a->n_imports; i++) {
            *mark_of(&s, a, i) = !i->is_service;
        }
    }
    while (clear_suspects(&s)) {
    }
    for (const struct tenant *a = t->at; a < t->at + t->n; a++) {
        for (size_t i = 0; i < a->n_imports && !is_found; i++) {
            is_found = *mark_of(&s, a, &a->imports[i]) && report(&s, &a->imports[i], false);
        }
    }
    deinit(&s);
    return is_found;
}
