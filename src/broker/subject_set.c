/* SPDX-License-Identifier: Apache-2.0 */
/* A trie of tokens, and a table of the entries without wildcards: what is published matches one of
 * those, or ends at a node that leads to others, so it needs to visit no more than these. A
 * question walks down along the tokens of its subject; where there are several ways it tries the
 * first one and comes back for the next, by the links to the parents. No node is reached twice, so
 * a question costs at most a visit of each node. Nothing recurses: a subject may have many thousand
 * tokens. */
#include "broker/subject_set.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "proto/subject.h"

struct subject_node {
    struct subject_node *parent;  // NULL: the root
    struct subject_node *child;   // the first one of a literal token
    struct subject_node *sibling; // the next child of the parent
    struct subject_node *star;    // child of the token "*"
    bool is_wild;                 // leads to an entry with wildcards
    bool is_end;                  // an entry ends here
    bool has_rest;                // an entry goes on with ">"
    uint32_t token_n;
    char token[];
};

/** An entry without wildcards. */
struct literal {
    size_t n; // [bytes]
    char subject[];
};

/** What the wildcards of the subject in question stand for. */
enum reading {
    READ_TEXT,     // themselves
    READ_COVERED,  // a token that no entry names: only "*" and ">" match it
    READ_OVERLAPS, // whatever token fits
};

enum hit {
    HIT_NONE,
    HIT_END,  // of an entry that has as many tokens
    HIT_REST, // of an entry that ends in ">" and takes any more tokens as well
};

struct walk {
    const struct subject_set *set;
    struct str subject;
    enum reading reading;
    const struct subject_node *node; // NULL: all ways were tried
    size_t at; // [bytes] where the next token starts; beyond the subject after the last
};

/** The key of a find among the edges. */
struct edge {
    const struct subject_node *parent;
    struct str token;
};

static uint64_t edge_hash(const struct edge *e)
{
    return hash_str(e->token) + ((uint64_t)(uintptr_t)e->parent >> 4) * 0x9e3779b1u;
}

static inline uint64_t node_hash(const void *element, const void *arg)
{
    const struct subject_node *node = element;

    (void)arg;
    return edge_hash(
        &(struct edge){.parent = node->parent, .token = {.p = node->token, .n = node->token_n}});
}

static inline bool is_edge(const void *element, const void *key)
{
    const struct subject_node *node = element;
    const struct edge *e = key;

    return node->parent == e->parent &&
           str_equal((struct str){.p = node->token, .n = node->token_n}, e->token);
}

static inline uint64_t literal_hash(const void *element, const void *arg)
{
    const struct literal *literal = element;

    (void)arg;
    return hash_bytes(literal->subject, literal->n);
}

static inline bool is_literal(const void *element, const void *key)
{
    const struct literal *literal = element;

    return str_equal((struct str){.p = literal->subject, .n = literal->n},
                     *(const struct str *)key);
}

static bool has_literal(const struct subject_set *set, struct str subject)
{
    return set->literals.n &&
           ptrset_find(&set->literals, hash_str(subject), is_literal, &subject) != NULL;
}

static void add_literal(struct subject_set *set, struct str subject)
{
    struct literal *literal = mem_alloc(sizeof(*literal) + subject.n);

    literal->n = subject.n;
    memcpy(literal->subject, subject.p, subject.n);
    ptrset_add(&set->literals, hash_str(subject), literal, literal_hash, NULL);
}

static struct subject_node *find_child(const struct subject_set *set,
                                       const struct subject_node *parent, struct str token)
{
    struct edge e = {.parent = parent, .token = token};

    return parent->child ? ptrset_find(&set->edges, edge_hash(&e), is_edge, &e) : NULL;
}

static struct subject_node *node_new(struct subject_node *parent, struct str token)
{
    struct subject_node *node = mem_zalloc(sizeof(*node) + token.n);

    node->parent = parent;
    node->token_n = (uint32_t)token.n;
    if (token.n) {
        memcpy(node->token, token.p, token.n);
    }
    return node;
}

static struct subject_node *get_child(struct subject_set *set, struct subject_node *parent,
                                      struct str token)
{
    if (str_equal(token, STR("*"))) {
        parent->star = parent->star ? parent->star : node_new(parent, token);
        return parent->star;
    }
    struct subject_node *child = find_child(set, parent, token);

    if (!child) {
        child = node_new(parent, token);
        child->sibling = parent->child;
        parent->child = child;
        ptrset_add(&set->edges, node_hash(child, NULL), child, node_hash, NULL);
    }
    return child;
}

void subject_set_add(struct subject_set *set, struct str subject)
{
    bool is_wild = !subject_is_literal(subject);

    if (!is_wild) {
        if (has_literal(set, subject)) {
            return;
        }
        add_literal(set, subject);
    }
    if (!set->root) {
        set->root = node_new(NULL, (struct str){0});
    }
    struct subject_node *node = set->root;

    for (struct str rest = subject; rest.p;) {
        struct str token = subject_next_token(&rest);

        node->is_wild |= is_wild;
        if (!rest.p && str_equal(token, STR(">"))) {
            node->has_rest = true;
            return;
        }
        node = get_child(set, node, token);
    }
    node->is_wild |= is_wild;
    node->is_end = true;
}

/* Puts the children of a node in front of a list of siblings. @return  the new head */
static struct subject_node *take_children(struct subject_node *node, struct subject_node *list)
{
    if (node->star) {
        node->star->sibling = list;
        list = node->star;
    }
    while (node->child) {
        struct subject_node *child = node->child;

        node->child = child->sibling;
        child->sibling = list;
        list = child;
    }
    return list;
}

void subject_set_deinit(struct subject_set *set)
{
    struct subject_node *todo = set->root;
    uint32_t at = 0;

    for (void *literal; (literal = ptrset_next(&set->literals, &at)) != NULL;) {
        mem_free(literal);
    }
    ptrset_deinit(&set->literals);
    while (todo) {
        struct subject_node *node = todo;

        todo = take_children(node, node->sibling);
        mem_free(node);
    }
    ptrset_deinit(&set->edges);
    set->root = NULL;
}

static struct str walk_rest(const struct walk *w)
{
    return (struct str){.p = w->subject.p + w->at, .n = w->subject.n - w->at};
}

static struct str walk_token(const struct walk *w)
{
    struct str rest = walk_rest(w);

    return subject_next_token(&rest);
}

static bool has_full_tokens(struct str rest)
{
    while (rest.p) {
        if (!subject_next_token(&rest).n) {
            return false;
        }
    }
    return true;
}

/* What there is at the node itself. */
static enum hit look(const struct walk *w)
{
    const struct subject_node *node = w->node;

    if (w->at > w->subject.n) {
        return node->is_end ? HIT_END : HIT_NONE;
    }
    if (node->has_rest && (w->reading != READ_TEXT || has_full_tokens(walk_rest(w)))) {
        return HIT_REST;
    }
    if (w->reading == READ_OVERLAPS && (node->child || node->star) &&
        str_equal(walk_rest(w), STR(">"))) {
        return HIT_REST;
    }
    return HIT_NONE;
}

static const struct subject_node *first_choice(const struct walk *w, struct str token)
{
    const struct subject_node *node = w->node;
    const struct subject_node *child = NULL;

    if (!token.n) {
        return NULL;
    }
    if (w->reading == READ_TEXT || !str_equal(token, STR("*"))) {
        child = find_child(w->set, node, token);
    } else if (w->reading == READ_OVERLAPS) {
        child = node->child;
    }
    if (!child || (w->reading == READ_TEXT && !child->is_wild)) {
        return node->star;
    }
    return child;
}

/* The way to try after `tried`, a child of the node. */
static const struct subject_node *next_choice(const struct walk *w,
                                              const struct subject_node *tried)
{
    if (tried == w->node->star) {
        return NULL;
    }
    if (tried->sibling && w->reading == READ_OVERLAPS && str_equal(walk_token(w), STR("*"))) {
        return tried->sibling;
    }
    return w->node->star;
}

/* Goes back to where there is another way, and takes it. */
static void go_back(struct walk *w)
{
    const struct subject_node *choice = NULL;
    size_t end = 0; // of the token of the choice

    while (w->node->parent && !choice) {
        const struct subject_node *tried = w->node;

        end = w->at - 1;
        const char *dot = memrchr(w->subject.p, '.', end);

        w->node = tried->parent;
        w->at = dot ? (size_t)(dot + 1 - w->subject.p) : 0;
        choice = next_choice(w, tried);
    }
    w->node = choice;
    w->at = end + 1;
}

/* Walks on to where an entry is found. @return  HIT_NONE: there is no other */
static enum hit find_hit(struct walk *w)
{
    while (w->node) {
        enum hit hit = look(w);

        if (hit != HIT_NONE) {
            return hit;
        }
        struct str token = w->at <= w->subject.n ? walk_token(w) : (struct str){0};
        const struct subject_node *choice = first_choice(w, token);

        if (choice) {
            w->node = choice;
            w->at += token.n + 1;
        } else {
            go_back(w);
        }
    }
    return HIT_NONE;
}

static struct walk start(const struct subject_set *set, struct str subject, enum reading reading)
{
    return (struct walk){.set = set, .subject = subject, .reading = reading, .node = set->root};
}

bool subject_set_matches(const struct subject_set *set, struct str subject)
{
    struct walk w = start(set, subject, READ_TEXT);

    if (has_literal(set, subject)) {
        return true;
    }
    return subject.n && set->root && set->root->is_wild && find_hit(&w) != HIT_NONE;
}

bool subject_set_overlaps(const struct subject_set *set, struct str pattern)
{
    struct walk w = start(set, pattern, READ_OVERLAPS);

    return find_hit(&w) != HIT_NONE;
}

/* The widest hit for subjects that have the length of the pattern. A literal token of an entry does
 * not cover "*", however many others there are, as there are always more tokens: so one entry
 * covers them all, or none does. */
static enum hit find_cover(const struct subject_set *set, struct str pattern)
{
    struct walk w = start(set, pattern, READ_COVERED);
    enum hit best = HIT_NONE;

    for (enum hit hit; best != HIT_REST && (hit = find_hit(&w)) != HIT_NONE; go_back(&w)) {
        best = hit;
    }
    return best;
}

bool subject_set_covers(const struct subject_set *set, struct str pattern)
{
    struct buf lengthened = {0};
    enum hit hit;

    if (!pattern.n || pattern.p[pattern.n - 1] != '>' ||
        (pattern.n > 1 && pattern.p[pattern.n - 2] != '.')) {
        return find_cover(set, pattern) != HIT_NONE;
    }
    /* ">" is one "*", two, and so on, until an entry takes all that are longer. */
    buf_add(&lengthened, (struct str){.p = pattern.p, .n = pattern.n - 1});
    do {
        buf_add_char(&lengthened, '*');
        hit = find_cover(set, buf_str(&lengthened));
        buf_add_char(&lengthened, '.');
    } while (hit == HIT_END);
    buf_deinit(&lengthened);
    return hit == HIT_REST;
}
