/* SPDX-License-Identifier: Apache-2.0 */
/* A trie of tokens. A question tries the ways down in the order of their rank, so the first pattern
 * that it comes upon is the one; it goes back by the links to the parents. No node is reached
 * twice, and nothing recurses: a pattern may have many thousand tokens. */
#include "broker/pattern_tree.h"

#include "base/hash.h"
#include "base/mem.h"
#include "proto/subject.h"

struct pattern_node {
    struct pattern_node *parent; // NULL: the root
    struct pattern_node *star;   // child of the token "*"
    const void *end;             // value of the pattern that ends here, or NULL
    const void *rest;            // of the one that goes on with ">", or NULL
    uint32_t n_children;         // of literal tokens
    uint32_t token_n;
    char token[];
};

/** The key of a find among the edges. */
struct edge {
    const struct pattern_node *parent;
    struct str token;
};

static uint64_t edge_hash(const struct edge *e)
{
    return hash_str(e->token) + ((uint64_t)(uintptr_t)e->parent >> 4) * 0x9e3779b1u;
}

static struct str node_token(const struct pattern_node *node)
{
    return (struct str){.p = node->token, .n = node->token_n};
}

static inline uint64_t node_hash(const void *element, const void *arg)
{
    const struct pattern_node *node = element;

    (void)arg;
    return edge_hash(&(struct edge){.parent = node->parent, .token = node_token(node)});
}

static inline bool is_edge(const void *element, const void *key)
{
    const struct pattern_node *node = element;
    const struct edge *e = key;

    return node->parent == e->parent && str_equal(node_token(node), e->token);
}

static struct pattern_node *find_child(const struct pattern_tree *tree,
                                       const struct pattern_node *parent, struct str token)
{
    struct edge e = {.parent = parent, .token = token};

    return parent->n_children ? ptrset_find(&tree->edges, edge_hash(&e), is_edge, &e) : NULL;
}

/* ---- building */

static struct pattern_node *node_new(struct pattern_node *parent, struct str token)
{
    struct pattern_node *node = mem_zalloc(sizeof(*node) + token.n);

    node->parent = parent;
    node->token_n = (uint32_t)token.n;
    if (token.n) {
        memcpy(node->token, token.p, token.n);
    }
    return node;
}

static struct pattern_node *get_child(struct pattern_tree *tree, struct pattern_node *parent,
                                      struct str token)
{
    if (*token.p == '*') {
        parent->star = parent->star ? parent->star : node_new(parent, token);
        return parent->star;
    }
    struct pattern_node *child = find_child(tree, parent, token);

    if (!child) {
        child = node_new(parent, token);
        parent->n_children++;
        ptrset_add(&tree->edges, node_hash(child, NULL), child, node_hash, NULL);
    }
    return child;
}

void pattern_tree_add(struct pattern_tree *tree, struct str pattern, const void *value)
{
    struct pattern_node *node = tree->root ? tree->root : node_new(NULL, (struct str){0});

    tree->root = node;
    for (struct str rest = pattern; rest.p;) {
        struct str token = subject_next_token(&rest);

        if (str_equal(token, STR(">"))) {
            node->rest = node->rest ? node->rest : value;
            return;
        }
        node = get_child(tree, node, token);
    }
    node->end = node->end ? node->end : value;
}

/* Frees a node, and those below it that only "*" leads to. */
static void free_stars(struct pattern_node *node)
{
    while (node) {
        struct pattern_node *star = node->star;

        mem_free(node);
        node = star;
    }
}

void pattern_tree_deinit(struct pattern_tree *tree)
{
    uint32_t at = 0;

    for (struct pattern_node *node; (node = ptrset_next(&tree->edges, &at)) != NULL;) {
        free_stars(node);
    }
    ptrset_deinit(&tree->edges);
    free_stars(tree->root);
    tree->root = NULL;
}

/* ---- finding */

struct walk {
    const struct pattern_tree *tree;
    struct str subject;
    const struct pattern_node *node;
    size_t at; // [bytes] where the next token starts; beyond the subject after the last
};

static bool has_token(const struct walk *w)
{
    return w->at <= w->subject.n;
}

static struct str next_token(const struct walk *w)
{
    struct str rest = {.p = w->subject.p + w->at, .n = w->subject.n - w->at};

    return subject_next_token(&rest);
}

static bool is_for_star(struct str token)
{
    return token.n && !str_equal(token, STR(">"));
}

/* Goes down, by literal tokens where there are such, to where a pattern ends. */
static const void *go_down(struct walk *w)
{
    while (has_token(w)) {
        struct str token = next_token(w);
        const struct pattern_node *child = find_child(w->tree, w->node, token);

        if (!child && is_for_star(token)) {
            child = w->node->star;
        }
        if (!child) {
            return NULL;
        }
        w->node = child;
        w->at += token.n + 1;
    }
    return w->node->end;
}

/* Goes back to where there is another way down, and takes its first step; or to where a pattern
 * takes the rest. @return  the latter's value */
static const void *go_back(struct walk *w)
{
    bool can_go_down = false;

    if (has_token(w) && w->node->rest) {
        return w->node->rest;
    }
    while (w->node->parent && !can_go_down) {
        const struct pattern_node *tried = w->node;
        size_t end = w->at - 1; // of the token that led here
        const char *dot = memrchr(w->subject.p, '.', end);

        w->node = tried->parent;
        w->at = dot ? (size_t)(dot + 1 - w->subject.p) : 0;
        if (tried != w->node->star && w->node->star && is_for_star(next_token(w))) {
            w->node = w->node->star;
            w->at = end + 1;
            can_go_down = true;
        } else if (w->node->rest) {
            return w->node->rest;
        }
    }
    w->node = can_go_down ? w->node : NULL;
    return NULL;
}

const void *pattern_tree_find(const struct pattern_tree *tree, struct str subject)
{
    struct walk w = {.tree = tree, .subject = subject, .node = tree->root};
    const void *hit = NULL;

    while (w.node && !hit) {
        hit = go_down(&w);
        hit = hit ? hit : go_back(&w);
    }
    return hit;
}
