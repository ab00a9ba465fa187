/* SPDX-License-Identifier: Apache-2.0 */
/* Searching the trie of tokens: a walk goes down one token of the question at a time, at all nodes
 * at once that still fit. Where a leaf hangs, what is left of the question is compared with what is
 * left of its subject. Nothing recurses. Guarded by: the index lock. */
#include "broker/trie.h"

#include <stddef.h>

#include "base/attr.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/ptrset.h"
#include "broker/children.h"
#include "broker/gather.h"
#include "broker/leaf.h"
#include "broker/trie_priv.h"
#include "proto/subject.h"

#define TRIE_KEEP 1024u // places of scratch that are kept for the next match

struct trie_place {
    const struct trie_node *node;
    size_t at; // [bytes] before the next token in the subjects below
};

/** @return  whether a question finds a subject; both have tokens left. */
typedef bool (*fits_fn)(struct str question, struct str subject);

/** A question on its way down. */
struct search {
    struct str rest; // what is left of it; p is NULL after its last token
    fits_fn fits;
    struct trie_walk *walk; // now: where it stands; next: where after the present token
    struct gather *found;
};

/* Makes room for n more. */
static void front_reserve(struct trie_front *f, uint32_t n)
{
    if (UNLIKELY(f->cap - f->n < n)) {
        f->cap = f->n + n < 8 ? 16 : (f->n + n) * 2;
        f->places = mem_realloc(f->places, f->cap * sizeof(*f->places));
    }
}

static inline void front_push(struct trie_front *f, const struct trie_node *node, size_t at)
{
    __builtin_prefetch(node);
    f->places[f->n++] = (struct trie_place){.node = node, .at = at};
}

static void walk_start(struct trie_walk *walk, const struct trie *t)
{
    walk->now.n = 0;
    front_reserve(&walk->now, 1);
    front_push(&walk->now, t->root, 0);
}

static inline void walk_turn(struct trie_walk *walk)
{
    struct trie_front was = walk->now;

    walk->now = walk->next;
    walk->next = was;
    walk->next.n = 0;
}

/* Ends a walk; much room is not kept. */
static void walk_end(struct trie_walk *walk)
{
    walk->next.n = 0;
    if (walk->now.cap > TRIE_KEEP || walk->next.cap > TRIE_KEEP) {
        trie_walk_deinit(walk);
    }
}

/* Goes on at a link whose token ends at byte `at` of the subjects below, which is where the present
 * token of the question leads. */
ALWAYS_INLINE void follow(struct search *s, uintptr_t link, size_t at)
{
    struct leaf leaf = {.bits = link};
    struct str below;

    if (!link) {
        return;
    }
    if (!trie_link_is_leaf(link)) {
        if (s->rest.p) {
            front_push(&s->walk->next, trie_link_node(link), at + 1);
        } else {
            gather_add(s->found, trie_link_node(link)->here);
        }
        return;
    }
    below = leaf_subject(leaf);
    if (s->rest.p && below.n > at) {
        below.p += at + 1;
        below.n -= at + 1;
        if (s->fits(s->rest, below)) {
            gather_add(s->found, leaf);
        }
    } else if (!s->rest.p && below.n == at) {
        gather_add(s->found, leaf);
    }
}

/* Takes all places past one token of a published subject. */
ALWAYS_INLINE void match_token(struct search *s, struct str token)
{
    const struct trie_front *now = &s->walk->now;
    uint64_t hash = hash_str(token);

    front_reserve(&s->walk->next, 2 * now->n);
    for (uint32_t i = 0; i < now->n; i++) {
        ptrset_prefetch(children_look(&now->places[i].node->children, hash), hash);
        __builtin_prefetch(trie_link_node(now->places[i].node->star));
    }
    for (uint32_t i = 0; i < now->n; i++) {
        const struct trie_node *node = now->places[i].node;
        size_t at = now->places[i].at;

        gather_add(s->found, node->rest);
        follow(s, node->star, at + 1);
        follow(s, trie_find_child(node, hash, token, at), at + token.n);
    }
    walk_turn(s->walk);
}

void trie_match(const struct trie *t, struct str subject, struct trie_walk *walk,
                struct gather *found)
{
    struct search s = {.rest = subject, .fits = subject_matches, .walk = walk, .found = found};

    walk_start(walk, t);
    while (s.rest.p) {
        struct str token = subject_next_token(&s.rest);

        if (!token.n) {
            found->n_leaves = 0;
            break;
        }
        if (walk->now.n) {
            match_token(&s, token);
        } else if (!found->n_leaves) {
            break;
        }
    }
    walk_end(walk);
}

bool trie_reaches(const struct trie *t, struct str subject, struct trie_walk *walk,
                  struct gather *found)
{
    struct search s = {.rest = subject, .fits = subject_matches, .walk = walk, .found = found};
    bool is_found;

    if (!subject_matches(subject, STR(">"))) { // it has an empty token
        return false;
    }
    walk_start(walk, t);
    while (s.rest.p && walk->now.n && !found->n_leaves) {
        match_token(&s, subject_next_token(&s.rest));
    }
    walk_end(walk);
    is_found = found->n_leaves != 0;
    found->n_leaves = 0;
    return is_found;
}

static bool is_star(struct str token)
{
    return token.n == 1 && token.p[0] == '*';
}

static bool is_rest(struct str token)
{
    return token.n == 1 && token.p[0] == '>';
}

static bool covers(struct str pattern, struct str subject)
{
    while (pattern.p && subject.p) {
        struct str p = subject_next_token(&pattern);
        struct str s = subject_next_token(&subject);

        if (is_rest(p)) {
            return true;
        }
        if (is_rest(s) || (!is_star(p) && !str_equal(p, s))) {
            return false;
        }
    }
    return !pattern.p && !subject.p;
}

static bool overlaps(struct str pattern, struct str subject)
{
    while (pattern.p && subject.p) {
        struct str p = subject_next_token(&pattern);
        struct str s = subject_next_token(&subject);

        if (is_rest(p) || is_rest(s)) {
            return true;
        }
        if (!is_star(p) && !is_star(s) && !str_equal(p, s)) {
            return false;
        }
    }
    return !pattern.p && !subject.p;
}

/* Takes all places past a "*" of a pattern: each token fits, but ">" is more than one token. */
static void reverse_star(struct search *s)
{
    const struct trie_front *now = &s->walk->now;

    for (uint32_t i = 0; i < now->n; i++) {
        const struct trie_node *node = now->places[i].node;
        size_t at = now->places[i].at;
        struct children_at slot = {0};

        front_reserve(&s->walk->next, children_count(&node->children) + 1);
        follow(s, node->star, at + 1);
        for (void *link; (link = children_next(&node->children, &slot)) != NULL;) {
            follow(s, (uintptr_t)link, at + trie_link_token((uintptr_t)link, at).n);
        }
    }
    walk_turn(s->walk);
}

/* Takes all places past a literal token of a pattern. */
static void reverse_literal(struct search *s, struct str token, bool with_star)
{
    const struct trie_front *now = &s->walk->now;
    uint64_t hash = hash_str(token);

    front_reserve(&s->walk->next, 2 * now->n);
    for (uint32_t i = 0; i < now->n; i++) {
        const struct trie_node *node = now->places[i].node;
        size_t at = now->places[i].at;

        follow(s, with_star ? node->star : 0, at + 1);
        follow(s, trie_find_child(node, hash, token, at), at + token.n);
    }
    walk_turn(s->walk);
}

/* Adds what ends in ">" at the places of a walk. */
static void take_rests(struct search *s)
{
    for (uint32_t i = 0; i < s->walk->now.n; i++) {
        gather_add(s->found, s->walk->now.places[i].node->rest);
    }
}

/* Adds all that hangs at a link, or notes that there is more below. */
static void take_link(struct search *s, uintptr_t link)
{
    if (trie_link_is_leaf(link)) {
        gather_add(s->found, (struct leaf){.bits = link});
    } else if (link) {
        gather_add(s->found, trie_link_node(link)->here);
        front_push(&s->walk->now, trie_link_node(link), 0);
    }
}

/* Adds all that goes on at the places of a walk. */
static void take_all(struct search *s)
{
    struct trie_front *todo = &s->walk->now;

    while (todo->n) {
        const struct trie_node *node = todo->places[--todo->n].node;
        struct children_at slot = {0};

        front_reserve(todo, children_count(&node->children) + 1);
        gather_add(s->found, node->rest);
        take_link(s, node->star);
        for (void *link; (link = children_next(&node->children, &slot)) != NULL;) {
            take_link(s, (uintptr_t)link);
        }
    }
}

void trie_reverse(const struct trie *t, struct str pattern, enum trie_relation relation,
                  struct trie_walk *walk, struct gather *found)
{
    bool is_wide = relation == TRIE_OVERLAPS;
    struct search s = {
        .rest = pattern, .fits = is_wide ? overlaps : covers, .walk = walk, .found = found};

    walk_start(walk, t);
    while (s.rest.p && walk->now.n) {
        struct str token = subject_next_token(&s.rest);

        if (is_rest(token)) {
            take_all(&s);
            break;
        }
        if (is_wide) {
            take_rests(&s);
        }
        if (is_star(token)) {
            reverse_star(&s);
        } else {
            reverse_literal(&s, token, is_wide);
        }
    }
    walk_end(walk);
}

void trie_walk_deinit(struct trie_walk *walk)
{
    mem_free(walk->now.places);
    mem_free(walk->next.places);
    *walk = (struct trie_walk){0};
}
