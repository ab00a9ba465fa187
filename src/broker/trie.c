/* SPDX-License-Identifier: Apache-2.0 */
/* Adding to the trie of tokens, and taking away. As nodes exist only where subjects part, of a
 * million unique subjects below a few thousand prefixes each costs its slot in the set of its
 * prefix, and no node. Nothing recurses: a subject may have many thousand tokens. Guarded by: the
 * index lock. */
#include "broker/trie.h"

#include <stddef.h>

#include "base/attr.h"
#include "base/hash.h"
#include "base/ptrset.h"
#include "broker/children.h"
#include "broker/leaf.h"
#include "broker/trie_priv.h"

enum step { STEP_LITERAL, STEP_STAR, STEP_REST, STEP_END };

/** A subscription's subject being walked, one token after another and then its end. */
struct cursor {
    struct str subject;
    size_t at; // of the token in the subject
    struct str token;
    uint64_t hash; // of a literal token
    enum step step;
};

static inline uint64_t child_hash(const void *element, const void *arg)
{
    const size_t *at = arg;

    return hash_str(trie_link_token((uintptr_t)element, *at));
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
    return children_count(&node->children) + (node->star != 0) + (node->rest.bits != 0) +
           (node->here.bits != 0);
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
ALWAYS_INLINE uintptr_t get_link(const struct trie_node *node, const struct cursor *c)
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
    return trie_find_child(node, c->hash, c->token, c->at);
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
        children_add(&node->children, c->hash, (void *)link, child_hash, &c->at);
    } else if (link) {
        ptrset_replace(children_set(&node->children, c->hash), c->hash, (void *)old, (void *)link);
    } else {
        children_remove(&node->children, c->hash, (void *)old, child_hash, &c->at);
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
        bool is_leaf = trie_link_is_leaf(link);

        if (!link || (is_leaf && link != other && str_equal(leaf_subject(leaf), c.subject))) {
            set_link(node, &c, link, leaf_add(leaf, s).bits);
            return;
        }
        if (is_leaf) {
            other = link;
        }
        node = is_leaf ? split(node, &c, link) : trie_link_node(link);
    }
}

struct leaf trie_find(const struct trie *t, struct str subject)
{
    struct cursor c = {.subject = subject};
    struct leaf leaf;

    cursor_move(&c, 0);
    leaf.bits = get_link(t->root, &c);
    while (leaf.bits && !trie_link_is_leaf(leaf.bits)) {
        const struct trie_node *node = trie_link_node(leaf.bits);

        cursor_next(&c);
        leaf.bits = get_link(node, &c);
    }
    if (!leaf.bits || !str_equal(leaf_subject(leaf), subject)) {
        return (struct leaf){0};
    }
    return leaf;
}

/* Frees the nodes from `link` down: each holds one node, the last one nothing. */
static void free_chain(uintptr_t link)
{
    while (link) {
        struct trie_node *node = trie_link_node(link);
        struct children_at at = {0};

        link = node->star ? node->star : (uintptr_t)children_next(&node->children, &at);
        children_deinit(&node->children);
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
    while (link && !trie_link_is_leaf(link)) {
        node = trie_link_node(link);
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
    if (trie_link_is_leaf(link)) {
        leaf_free((struct leaf){.bits = link});
    } else if (link) {
        leaf_free(trie_link_node(link)->here);
        trie_link_node(link)->here.bits = (uintptr_t)*todo; // a free place for the list
        *todo = trie_link_node(link);
    }
}

void trie_deinit(struct trie *t)
{
    struct trie_node *todo = NULL;

    free_link((uintptr_t)t->root, &todo);
    while (todo) {
        struct trie_node *node = todo;
        struct children_at at = {0};

        todo = trie_link_node(node->here.bits);
        leaf_free(node->rest);
        free_link(node->star, &todo);
        for (void *link; (link = children_next(&node->children, &at)) != NULL;) {
            free_link((uintptr_t)link, &todo);
        }
        children_deinit(&node->children);
        mem_free(node);
    }
    t->root = NULL;
}
