/* SPDX-License-Identifier: Apache-2.0 */
/* { source: destination }, where a destination is a subject, a map { destination, weight, cluster
 * }, or an array of such maps. Whether they make sense is for broker/mapping.h to say. */
#include "auth/mapping_options.h"

#include "auth/percent.h"
#include "base/mem.h"
#include "base/quote.h"
#include "proto/pattern.h"

#define ALL 100 // [%]

/* A destination while it is read. */
struct entry {
    const struct node *whole;
    struct arena *arena;
    struct mapping_dest dest;
    bool has_weight;
};

static enum status set_text(struct entry *e, const struct node *value, struct str *out,
                            struct option_reader *r)
{
    if (value->kind != NODE_STR) {
        struct node there = *value;

        there.at = e->whole->at;
        return option_wrong_type(r, &there, node_kind_name(NODE_STR));
    }
    *out = arena_str(e->arena, value->text);
    return ST_OK;
}

static enum status set_dest(void *base, const struct node *value, struct option_reader *r)
{
    struct entry *e = base;

    return set_text(e, value, &e->dest.subject, r);
}

static enum status set_cluster(void *base, const struct node *value, struct option_reader *r)
{
    struct entry *e = base;

    return set_text(e, value, &e->dest.cluster, r);
}

static enum status refuse_weight(const struct node *value, struct str text, struct option_reader *r)
{
    struct buf quoted = {0};

    quote_go(&quoted, text);
    diag_error(r->d, &value->at, "Invalid weight %.*s for mapping destination",
               STR_ARG(buf_str(&quoted)));
    buf_deinit(&quoted);
    return ST_FAILED;
}

static enum status set_weight(void *base, const struct node *value, struct option_reader *r)
{
    struct entry *e = base;
    int64_t n = 0;

    e->has_weight = true;
    if (value->kind == NODE_INT) {
        n = value->number;
    } else if (value->kind != NODE_STR) {
        return option_report(r, value, "Unknown entry type for weight of %v");
    } else if (percent_parse(percent_strip(value->text), &n) != ST_OK) {
        return refuse_weight(value, percent_strip(value->text), r);
    }
    if (n < 0 || n > ALL) {
        diag_error(r->d, &value->at, "Invalid weight %lld for mapping destination", (long long)n);
        return ST_FAILED;
    }
    e->dest.weight = (uint8_t)n;
    return ST_OK;
}

static enum status check_entry(void *base, const struct node *value, struct option_reader *r)
{
    const struct entry *e = base;
    struct buf quoted = {0};

    if (e->has_weight) {
        return ST_OK;
    }
    quote_go(&quoted, e->dest.subject);
    diag_error(r->d, &value->at, "Missing weight for mapping destination %.*s",
               STR_ARG(buf_str(&quoted)));
    buf_deinit(&quoted);
    return ST_FAILED;
}

static const struct option entry_rows[] = {
    OPTION_CUSTOM("destination", set_dest, .aliases = "dest",
                  .doc =
                      "Subject, in which $1 or {{wildcard(1)}} stand for the source's wildcards."),
    OPTION_CUSTOM("weight", set_weight, .doc = "Share of the messages, 0 to 100 %."),
    OPTION_CUSTOM("cluster", set_cluster,
                  .doc = "Only on servers in the cluster of this name, instead of all others."),
    OPTION_END};

static const struct option entry_block =
    OPTION_BLOCK("", entry_rows, .check = check_entry,
                 .unknown = "Unknown field \"%.*s\" for mapping destination");

static enum status read_entry(const struct node *value, struct arena *arena,
                              struct mapping_dest *out, struct option_reader *r)
{
    struct entry e = {.whole = value, .arena = arena};

    if (value->kind != NODE_MAP) {
        diag_error(r->d, &value->at, "Expected an entry for the mapping destination");
        return ST_FAILED;
    }
    enum status st = option_read_block(&entry_block, &e, value, r);
    *out = e.dest;
    return st;
}

static size_t count(const struct node *array)
{
    size_t n = 0;

    for (const struct node *e = array->first; e; e = e->next) {
        n++;
    }
    return n;
}

/* The destinations of one source: those that could be read. */
static enum status read_dests(const struct node *value, struct arena *arena,
                              struct mapping_options *out, struct option_reader *r)
{
    bool is_array = value->kind == NODE_ARRAY;
    size_t n_most = is_array ? count(value) : 1;
    struct mapping_dest *dests = arena_alloc(arena, (n_most + 1) * sizeof(*dests));
    enum status st = ST_OK;

    *out = (struct mapping_options){.source = arena_str(arena, value->key), .dests = dests};
    if (value->kind == NODE_STR) {
        dests[out->n++] =
            (struct mapping_dest){.subject = arena_str(arena, value->text), .weight = ALL};
        return ST_OK;
    }
    for (const struct node *e = is_array ? value->first : value; e; e = is_array ? e->next : NULL) {
        if (read_entry(e, arena, &dests[out->n], r) == ST_OK) {
            out->n++;
        } else {
            st = ST_FAILED;
        }
    }
    return st;
}

/* Reports what is wrong with a mapping as a whole. */
static enum status check_mapping(const struct mapping_options *o, const struct node *value,
                                 struct option_reader *r)
{
    struct mappings *m = mappings_new(STR(""));
    struct buf why = {0};
    struct buf names = {0};
    enum status st = mappings_add(m, o->source, o->dests, o->n, &why);

    if (st != ST_OK) {
        quote_go(&names, o->source);
        if (value->kind == NODE_STR) {
            buf_add(&names, STR(" to "));
            quote_go(&names, value->text);
        }
        diag_error(r->d, &value->at, "Error adding mapping for %.*s : %.*s",
                   STR_ARG(buf_str(&names)), STR_ARG(buf_str(&why)));
    }
    buf_deinit(&names);
    buf_deinit(&why);
    mappings_free(m);
    return st == ST_OK ? ST_OK : ST_FAILED;
}

/* Adds a mapping, or replaces that of the same source. */
static void put(struct mapping_list *l, struct mapping_options o)
{
    for (size_t i = 0; i < l->n; i++) {
        if (str_equal(l->at[i].source, o.source)) {
            l->at[i] = o;
            return;
        }
    }
    l->at = mem_realloc(l->at, (l->n + 1) * sizeof(*l->at));
    l->at[l->n++] = o;
}

static enum status read_mapping(struct mapping_list *l, const struct node *map,
                                const struct node *value, struct option_reader *r)
{
    struct mapping_options o;

    if (!pattern_is_valid(value->key)) {
        struct buf quoted = {0};

        quote_go(&quoted, value->key);
        diag_error(r->d, &map->at, "Subject %.*s is not a valid subject",
                   STR_ARG(buf_str(&quoted)));
        buf_deinit(&quoted);
        return ST_FAILED;
    }
    enum status st = read_dests(value, &l->arena, &o, r);
    if (check_mapping(&o, value, r) != ST_OK) {
        st = ST_FAILED;
    }
    if (st == ST_OK) {
        put(l, o);
    }
    return st;
}

static enum status read_list(void *field, const struct node *value, struct option_reader *r)
{
    struct mapping_list *l = field;
    enum status st = ST_OK;

    if (value->kind != NODE_MAP) {
        return option_wrong_type(r, value, node_kind_name(NODE_MAP));
    }
    for (const struct node *n = value->first; n; n = n->next) {
        if (read_mapping(l, value, n, r) != ST_OK) {
            st = ST_FAILED;
        }
    }
    return st;
}

static void release_list(void *field)
{
    struct mapping_list *l = field;

    mem_free(l->at);
    arena_deinit(&l->arena);
    *l = (struct mapping_list){0};
}

const struct option_type mapping_list_type = {
    .read = read_list, .release = release_list, .rows = entry_rows, .element = "SUBJECT"};
