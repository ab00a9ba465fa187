/* SPDX-License-Identifier: Apache-2.0 */
/* The trie of tokens. A link is 0, a leaf (tags in its low bits), or the address of a node: nodes
 * exist only where at least two subjects went the same way. So of a million unique subjects below a
 * few thousand prefixes each costs its slot in the set of its prefix, and no node. A node holds its
 * own token but not the path to it: all subjects below share that path, so the place of a token in
 * them is the same for all, and is counted on the way down. Nothing recurses: a subject may have
 * many thousand tokens. Guarded by: the index lock. */
#include "broker/trie.h"

#include <stddef.h>

#include "base/hash.h"
#include "base/ptrset.h"
#include "broker/gather.h"
#include "broker/leaf.h"
#include "proto/subject.h"

#define TRIE_KEEP 1024u // places of scratch that are kept for the next match

struct trie_node {
    struct ptrset children; // links of literal tokens; their hash is that of the token
    uintptr_t star;         // link of "*"
    struct leaf rest;       // subject ends below with ">"
    struct leaf here;       // subject ends with this token
    uint32_t token_n;
    char token[];
};

struct trie_place {
    const struct trie_node *node;
    size_t at; // [bytes] before the next token in the subjects below
};

enum step { STEP_LITERAL, STEP_STAR, STEP_REST, STEP_END };

/** A subscription's subject being walked, one token after another and then its end. */
struct cursor {
    struct str subject;
    size_t at; // of the token in the subject
    struct str token;
    uint64_t hash; // of a literal token
    enum step step;
};

/* The n bytes of the subject of leaf or node at `at` that are to be compared, as the key of a
 * find. */
struct token_key {
    struct str token;
    size_t at;
};

static bool link_is_leaf(uintptr_t link)
{
    return (link & LEAF_TAGS) != 0;
}

static struct trie_node *link_node(uintptr_t link)
{
    return (struct trie_node *)link;
}

static struct str node_token(const struct trie_node *node)
{
    return (struct str){.p = node->token, .n = node->token_n};
}

/* The token at `at` of the subjects below a link. */
static inline struct str link_token(uintptr_t link, size_t at)
{
    struct str rest;

    if (!link_is_leaf(link)) {
        return node_token(link_node(link));
    }
    rest = leaf_subject((struct leaf){.bits = link});
    rest.p += at;
    rest.n -= at;
    return subject_next_token(&rest);
}

static inline uint64_t child_hash(const void *element, const void *arg)
{
    const size_t *at = arg;

    return hash_str(link_token((uintptr_t)element, *at));
}

static inline bool child_has_token(const void *element, const void *arg)
{
    uintptr_t link = (uintptr_t)element;
    const struct token_key *key = arg;
    struct str subject;

    if (!link_is_leaf(link)) {
        return str_equal(node_token(link_node(link)), key->token);
    }
    subject = leaf_subject((struct leaf){.bits = link});
    subject.p += key->at;
    subject.n -= key->at;
    return str_starts_with(subject, key->token) &&
           (subject.n == key->token.n || subject.p[key->token.n] == '.');
}

static inline uintptr_t find_child(const struct trie_node *node, uint64_t hash, struct str token,
                                   size_t at)
{
    struct token_key key = {.token = token, .at = at};

    return (uintptr_t)ptrset_find(&node->children, hash, child_has_token, &key);
}

static struct trie_node *node_new(struct str token)
{
    struct trie_node *node = mem_zalloc(offsetof(struct trie_node, token) + token.n);

    node->token_n = (uint32_t)token.n;
    if (token.n) {
        memcpy(node->token, token.p, token.n);
    }
    return node;
}

static uint32_t node_count_links(const struct trie_node *node)
{
    return node->children.n + (node->star != 0) + (node->rest.bits != 0) + (node->here.bits != 0);
}

/* Moves to the token that starts at byte `at` of the subject; one past the subject: to its end. */
static void cursor_move(struct cursor *c, size_t at)
{
    const char *p = c->subject.p + at;
    const char *dot;

    c->at = at;
    if (at >= c->subject.n) {
        c->token = (struct str){0};
        c->step = STEP_END;
        return;
    }
    dot = memchr(p, '.', c->subject.n - at);
    c->token.p = p;
    c->token.n = dot ? (size_t)(dot - p) : c->subject.n - at;
    if (c->token.n == 1 && *p == '*') {
        c->step = STEP_STAR;
    } else if (c->token.n == 1 && *p == '>') {
        c->step = STEP_REST;
    } else {
        c->step = STEP_LITERAL;
        c->hash = hash_str(c->token);
    }
}

static void cursor_next(struct cursor *c)
{
    cursor_move(c, c->at + c->token.n + 1);
}

/* The link that leaves a node at the cursor's token. */
static uintptr_t get_link(const struct trie_node *node, const struct cursor *c)
{
    switch (c->step) {
    case STEP_STAR:
        return node->star;
    case STEP_REST:
        return node->rest.bits;
    case STEP_END:
        return node->here.bits;
    case STEP_LITERAL:
        break;
    }
    return find_child(node, c->hash, c->token, c->at);
}

/* Puts `link` (0: none) where `old` was. */
static void set_link(struct trie_node *node, const struct cursor *c, uintptr_t old, uintptr_t link)
{
    switch (c->step) {
    case STEP_STAR:
        node->star = link;
        return;
    case STEP_REST:
        node->rest.bits = link;
        return;
    case STEP_END:
        node->here.bits = link;
        return;
    case STEP_LITERAL:
        break;
    }
    if (old == link) {
        return;
    }
    if (!old) {
        ptrset_add(&node->children, c->hash, (void *)link, child_hash, &c->at);
    } else if (link) {
        ptrset_replace(&node->children, c->hash, (void *)old, (void *)link);
    } else {
        ptrset_remove(&node->children, c->hash, (void *)old, child_hash, &c->at);
    }
}

/* Puts a node where a leaf hangs, and the leaf below it. */
static struct trie_node *split(struct trie_node *node, const struct cursor *c, uintptr_t leaf)
{
    struct trie_node *fresh = node_new(c->token);
    struct cursor below = {.subject = leaf_subject((struct leaf){.bits = leaf})};

    cursor_move(&below, c->at + c->token.n + 1);
    set_link(fresh, &below, 0, leaf);
    set_link(node, c, leaf, (uintptr_t)fresh);
    return fresh;
}

void trie_add(struct trie *t, struct sub *s)
{
    struct trie_node *node = t->root;
    struct cursor c = {.subject = sub_subject(s)};
    uintptr_t other = 0; // a leaf of another subject that has been pushed down so far

    for (cursor_move(&c, 0);; cursor_next(&c)) {
        uintptr_t link = get_link(node, &c);
        struct leaf leaf = {.bits = link};
        bool is_leaf = link_is_leaf(link);

        if (!link || (is_leaf && link != other && str_equal(leaf_subject(leaf), c.subject))) {
            set_link(node, &c, link, leaf_add(leaf, s).bits);
            return;
        }
        if (is_leaf) {
            other = link;
        }
        node = is_leaf ? split(node, &c, link) : link_node(link);
    }
}

/* Frees the nodes from `link` down: each holds one node, the last one nothing. */
static void free_chain(uintptr_t link)
{
    while (link) {
        struct trie_node *node = link_node(link);
        uint32_t at = 0;

        link = node->star ? node->star : (uintptr_t)ptrset_next(&node->children, &at);
        ptrset_deinit(&node->children);
        mem_free(node);
    }
}

bool trie_remove(struct trie *t, struct sub *s)
{
    struct trie_node *node = t->root;
    struct trie_node *keep = node; // the last node on the way that is needed in any case
    size_t keep_at = 0;            // of its token in the subject
    struct cursor c = {.subject = sub_subject(s)};
    uintptr_t link;
    struct leaf leaf;

    cursor_move(&c, 0);
    link = get_link(node, &c);
    while (link && !link_is_leaf(link)) {
        node = link_node(link);
        cursor_next(&c);
        if (node_count_links(node) > 1) {
            keep = node;
            keep_at = c.at;
        }
        link = get_link(node, &c);
    }
    leaf = (struct leaf){.bits = link};
    if (!link || !str_equal(leaf_subject(leaf), c.subject) || !leaf_remove(&leaf, s)) {
        return false;
    }
    set_link(node, &c, link, leaf.bits);
    if (!leaf.bits && node != keep) {
        cursor_move(&c, keep_at);
        link = get_link(keep, &c);
        set_link(keep, &c, link, 0);
        free_chain(link);
    }
    return true;
}

void trie_init(struct trie *t)
{
    t->root = node_new((struct str){0});
}

/* Frees what hangs at a link; a node joins those that are still to be freed. */
static void free_link(uintptr_t link, struct trie_node **todo)
{
    if (link_is_leaf(link)) {
        leaf_free((struct leaf){.bits = link});
    } else if (link) {
        leaf_free(link_node(link)->here);
        link_node(link)->here.bits = (uintptr_t)*todo; // a free place for the list
        *todo = link_node(link);
    }
}

void trie_deinit(struct trie *t)
{
    struct trie_node *todo = NULL;

    free_link((uintptr_t)t->root, &todo);
    while (todo) {
        struct trie_node *node = todo;
        uint32_t at = 0;

        todo = link_node(node->here.bits);
        leaf_free(node->rest);
        free_link(node->star, &todo);
        for (void *link; (link = ptrset_next(&node->children, &at)) != NULL;) {
            free_link((uintptr_t)link, &todo);
        }
        ptrset_deinit(&node->children);
        mem_free(node);
    }
    t->root = NULL;
}

static void front_reserve(struct trie_front *f, uint32_t n)
{
    if (UNLIKELY(n > f->cap)) {
        f->cap = n < 16 ? 16 : n * 2;
        mem_free(f->places);
        f->places = mem_alloc(f->cap * sizeof(*f->places));
    }
    f->n = 0;
}

/* Goes on at a link whose token ends at byte `at` of the subjects below. `rest` is what is left of
 * the published subject, its p NULL when that token was the last. */
static inline void follow(uintptr_t link, size_t at, const struct str *rest,
                          struct trie_front *next, struct gather *found)
{
    struct leaf leaf = {.bits = link};
    struct str below;

    if (!link) {
        return;
    }
    if (!link_is_leaf(link)) {
        if (rest->p) {
            __builtin_prefetch(link_node(link));
            next->places[next->n++] = (struct trie_place){.node = link_node(link), .at = at + 1};
        } else {
            gather_add(found, link_node(link)->here);
        }
        return;
    }
    below = leaf_subject(leaf);
    if (rest->p && below.n > at) {
        below.p += at + 1;
        below.n -= at + 1;
        if (subject_matches(*rest, below)) {
            gather_add(found, leaf);
        }
    } else if (!rest->p && below.n == at) {
        gather_add(found, leaf);
    }
}

/* Takes all places one token further. */
static void walk_token(struct trie_walk *walk, struct str token, const struct str *rest,
                       struct gather *found)
{
    const struct trie_place *places = walk->now.places;
    uint64_t hash = hash_str(token);

    front_reserve(&walk->next, 2 * walk->now.n);
    for (uint32_t i = 0; i < walk->now.n; i++) {
        ptrset_prefetch(&places[i].node->children, hash);
        __builtin_prefetch(link_node(places[i].node->star));
    }
    for (uint32_t i = 0; i < walk->now.n; i++) {
        const struct trie_node *node = places[i].node;
        size_t at = places[i].at;

        gather_add(found, node->rest);
        follow(node->star, at + 1, rest, &walk->next, found);
        follow(find_child(node, hash, token, at), at + token.n, rest, &walk->next, found);
    }
}

void trie_match(const struct trie *t, struct str subject, struct trie_walk *walk,
                struct gather *found)
{
    front_reserve(&walk->now, 1);
    walk->now.places[0] = (struct trie_place){.node = t->root};
    walk->now.n = 1;
    for (struct str rest = subject; rest.p;) {
        struct str token = subject_next_token(&rest);

        if (!token.n) {
            found->n_leaves = 0;
            break;
        }
        if (walk->now.n) {
            struct trie_front was = walk->now;

            walk_token(walk, token, &rest, found);
            walk->now = walk->next;
            walk->next = was;
        } else if (!found->n_leaves) {
            break;
        }
    }
    if (walk->now.cap > TRIE_KEEP || walk->next.cap > TRIE_KEEP) {
        trie_walk_deinit(walk);
    }
}

void trie_walk_deinit(struct trie_walk *walk)
{
    mem_free(walk->now.places);
    mem_free(walk->next.places);
    *walk = (struct trie_walk){0};
}
