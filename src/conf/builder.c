/* SPDX-License-Identifier: Apache-2.0 */
/* Maps are lists, in the order of the file; while one is open, a set knows its keys. */
#include "conf/builder.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/ptrset.h"

/* A map or an array that is not complete. */
struct open_node {
    struct open_node *outer;
    struct node *node;
    struct ptrset keys; // of a map: its nodes, by key
};

struct open_key {
    struct open_key *outer;
    struct str name;
    struct diag_place at;
};

static inline uint64_t hash_of(const void *element, const void *arg)
{
    (void)arg;
    return hash_str(((const struct node *)element)->key);
}

static inline bool has_key(const void *element, const void *key)
{
    return str_equal(((const struct node *)element)->key, *(const struct str *)key);
}

static struct node *find(const struct open_node *map, struct str key)
{
    return ptrset_find(&map->keys, hash_str(key), has_key, &key);
}

/* Adds a copy of a value to the end of the innermost map or array. */
static struct node *append(struct builder *b, const struct node *value)
{
    struct node *to = b->nodes->node;
    struct node *n = arena_alloc(b->arena, sizeof(*n));

    *n = *value;
    n->next = NULL;
    if (to->last) {
        to->last->next = n;
    } else {
        to->first = n;
    }
    to->last = n;
    return n;
}

struct node *builder_init(struct builder *b, struct arena *arena)
{
    *b = (struct builder){.arena = arena};
    builder_open(b, NODE_MAP);
    return b->nodes->node;
}

/* Closes the innermost map or array without a trace. */
static struct node *take_node(struct builder *b)
{
    struct open_node *o = b->nodes;
    struct node *n = o->node;

    b->nodes = o->outer;
    ptrset_deinit(&o->keys);
    mem_free(o);
    return n;
}

void builder_deinit(struct builder *b)
{
    while (b->nodes) {
        take_node(b);
    }
}

void builder_add_key(struct builder *b, struct str name, const struct diag_place *at)
{
    struct open_key *k = arena_alloc(b->arena, sizeof(*k));

    *k = (struct open_key){.outer = b->keys, .name = name, .at = *at};
    b->keys = k;
}

void builder_put(struct builder *b, const struct node *value)
{
    struct open_node *map = b->nodes;
    struct node *old = find(map, value->key);

    if (old) {
        struct node *next = old->next;

        *old = *value;
        old->next = next;
        return;
    }
    struct node *n = append(b, value);
    ptrset_add(&map->keys, hash_of(n, NULL), n, hash_of, NULL);
}

void builder_add(struct builder *b, const struct node *value)
{
    struct node member = *value;

    if (b->nodes->node->kind == NODE_ARRAY) {
        append(b, value);
        return;
    }
    member.key = b->keys->name;
    member.at = b->keys->at;
    b->keys = b->keys->outer;
    builder_put(b, &member);
}

void builder_open(struct builder *b, enum node_kind kind)
{
    struct open_node *o = mem_zalloc(sizeof(*o));

    o->node = arena_alloc(b->arena, sizeof(*o->node));
    o->node->kind = kind;
    o->outer = b->nodes;
    b->nodes = o;
}

void builder_close(struct builder *b, const struct diag_place *at)
{
    struct node value = *take_node(b);

    value.at = *at;
    builder_add(b, &value);
}

struct node *builder_find(const struct builder *b, struct str name)
{
    for (const struct open_node *o = b->nodes; o; o = o->outer) {
        struct node *n = find(o, name);

        if (n) {
            return n;
        }
    }
    return NULL;
}
