/* SPDX-License-Identifier: Apache-2.0 */
/* Sources are found by their text, and by the tree if they match more than that. The destinations
 * of a mapping lie side by side in the range of the draw, one after the other; only those are kept
 * that count in the server's cluster. */
#include "broker/mapping.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/quote.h"
#include "broker/pattern_tree.h"
#include "broker/transform.h"
#include "proto/pattern.h"
#include "proto/subject.h"

/** A destination that a draw may hit. */
struct share {
    struct transform *transform;
    uint32_t below; // [%] a lower draw hits this one, or one before it
};

struct mapping {
    struct share *shares; // n of them
    size_t n;
    bool loses_rest;   // else what hits none of them stays as it is
    struct str source; // `text`
    char text[];
};

/** Most subjects begin otherwise than any source: that is found out by a hash or two. */
#define PREFIX_TOKENS 8u
#define PREFIX_BITS 1024u

/** How the sources begin that have so many tokens before the first wildcard. */
struct prefixes {
    bool is_any;
    uint64_t bits[PREFIX_BITS / 64]; // by hash; others may have the same
};

struct mappings {
    struct ptrset sources;                   // struct mapping, by source
    struct pattern_tree patterns;            // those that match more than their text
    struct prefixes prefixes[PREFIX_TOKENS]; // by number of tokens, less one; more are left out
    unsigned n_depths;                       // those that are used, and all before
    bool begins_wild;                        // a source does: any subject may match
    size_t cluster_n;
    char cluster[];
};

static inline uint64_t source_hash(const void *element, const void *arg)
{
    const struct mapping *m = element;

    (void)arg;
    return hash_str(m->source);
}

static inline bool is_source(const void *element, const void *key)
{
    const struct mapping *m = element;

    return str_equal(m->source, *(const struct str *)key);
}

/* ---- a table */

struct mappings *mappings_new(struct str cluster)
{
    struct mappings *m = mem_zalloc(sizeof(*m) + cluster.n);

    m->cluster_n = cluster.n;
    if (cluster.n) {
        memcpy(m->cluster, cluster.p, cluster.n);
    }
    return m;
}

static void mapping_free(struct mapping *m)
{
    for (size_t i = 0; i < m->n; i++) {
        transform_free(m->shares[i].transform);
    }
    mem_free(m->shares);
    mem_free(m);
}

void mappings_free(struct mappings *m)
{
    uint32_t at = 0;

    if (!m) {
        return;
    }
    for (struct mapping *one; (one = ptrset_next(&m->sources, &at)) != NULL;) {
        mapping_free(one);
    }
    ptrset_deinit(&m->sources);
    pattern_tree_deinit(&m->patterns);
    mem_free(m);
}

size_t mappings_count(const struct mappings *m)
{
    return m->sources.n;
}

static bool is_wild(struct str token)
{
    return (token.n && *token.p == '*') || str_equal(token, STR(">"));
}

/* Has subjects looked up that begin like a source. */
static void watch(struct mappings *m, struct str source)
{
    struct str rest = source;
    size_t n_tokens = 0;
    size_t n = 0; // [bytes] of them

    while (rest.p && n_tokens < PREFIX_TOKENS) {
        struct str token = subject_next_token(&rest);

        if (is_wild(token)) {
            break;
        }
        n = (size_t)(token.p + token.n - source.p);
        n_tokens++;
    }
    if (n_tokens == 0) {
        m->begins_wild = true;
        return;
    }
    struct prefixes *p = &m->prefixes[n_tokens - 1];
    uint64_t bit = hash_bytes(source.p, n) % PREFIX_BITS;
    p->is_any = true;
    m->n_depths = n_tokens > m->n_depths ? (unsigned)n_tokens : m->n_depths;
    p->bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

static bool is_among(const struct prefixes *p, struct str prefix)
{
    uint64_t bit = hash_bytes(prefix.p, prefix.n) % PREFIX_BITS;

    return p->bits[bit / 64] >> bit % 64 & 1;
}

/* @return  false: no source begins like the subject, or with a wildcard */
static bool is_watched(const struct mappings *m, struct str subject)
{
    unsigned depth = 0;

    for (size_t n = 0; n <= subject.n && depth < m->n_depths; n++) {
        if (n < subject.n && subject.p[n] != '.') {
            continue;
        }
        if (m->prefixes[depth].is_any &&
            is_among(&m->prefixes[depth], (struct str){.p = subject.p, .n = n})) {
            return true;
        }
        depth++;
    }
    return m->begins_wild;
}

const struct mapping *mappings_find_hashed(const struct mappings *m, struct str subject,
                                           uint64_t hash)
{
    if (!subject.n || !is_watched(m, subject)) {
        return NULL;
    }
    const struct mapping *one = ptrset_find(&m->sources, hash, is_source, &subject);

    return one ? one : pattern_tree_find(&m->patterns, subject);
}

const struct mapping *mappings_find(const struct mappings *m, struct str subject)
{
    return mappings_find_hashed(m, subject, hash_str(subject));
}

/* ---- building one */

/** A mapping at work. */
struct adding {
    struct str source;
    const struct mapping_dest *dests;
    size_t n;
    struct str scope; // the cluster whose destinations count; empty: those of none
    struct mapping *m;
    struct buf *why;
};

/* Whether the source matches more than its text. */
static bool is_pattern(struct str source)
{
    bool has_wildcard = false;

    for (struct str rest = source; rest.p;) {
        struct str token = subject_next_token(&rest);

        has_wildcard |= is_wild(token);
    }
    return has_wildcard;
}

/* A server's own cluster counts if it is mentioned, else what is for all. */
static struct str choose_scope(const struct mappings *m, const struct mapping_dest *dests, size_t n)
{
    struct str own = {.p = m->cluster, .n = m->cluster_n};

    for (size_t i = 0; i < n; i++) {
        if (str_equal(dests[i].cluster, own)) {
            return own;
        }
    }
    return STR("");
}

/* Whether destination i may stand beside those before it. */
static enum status check_dest(const struct adding *a, size_t i)
{
    const struct mapping_dest *dest = &a->dests[i];
    unsigned sum = dest->weight;

    for (size_t k = 0; k < i; k++) {
        if (str_equal(a->dests[k].subject, dest->subject)) {
            buf_add(a->why, STR("duplicate entry for "));
            quote_go(a->why, dest->subject);
            return ST_BAD_VALUE;
        }
        sum += str_equal(a->dests[k].cluster, dest->cluster) ? a->dests[k].weight : 0;
    }
    if (sum > 100) {
        buf_add(a->why, STR("total weight needs to be <= 100"));
        return ST_BAD_VALUE;
    }
    return ST_OK;
}

/* Destinations in other clusters are checked just the same. */
static enum status add_dest(struct adding *a, const struct mapping_dest *dest)
{
    struct mapping *m = a->m;
    struct transform *t = NULL;
    enum status st = transform_new(a->source, dest->subject, &t, a->why);

    if (st == ST_OK && str_equal(dest->cluster, a->scope)) {
        uint32_t before = m->n ? m->shares[m->n - 1].below : 0;

        m->shares[m->n++] = (struct share){.transform = t, .below = before + dest->weight};
    } else {
        transform_free(t);
    }
    return st;
}

static struct mapping *mapping_new(struct str source, size_t n_dests)
{
    struct mapping *m = mem_zalloc(sizeof(*m) + source.n);

    m->shares = mem_alloc(n_dests * sizeof(*m->shares));
    memcpy(m->text, source.p, source.n);
    m->source = (struct str){.p = m->text, .n = source.n};
    return m;
}

/* Makes a mapping known to the table. */
static void insert(struct mappings *m, struct mapping *one)
{
    ptrset_add(&m->sources, hash_str(one->source), one, source_hash, NULL);
    if (is_pattern(one->source)) {
        pattern_tree_add(&m->patterns, one->source, one);
    }
    watch(m, one->source);
}

enum status mappings_add(struct mappings *m, struct str source, const struct mapping_dest *dests,
                         size_t n, struct buf *why)
{
    struct adding a = {.source = source, .dests = dests, .n = n, .why = why};
    enum status st = ST_OK;

    if (!pattern_is_valid(source)) {
        buf_add(why, STR("invalid subject"));
        return ST_BAD_VALUE;
    }
    ENSURE(!ptrset_find(&m->sources, hash_str(source), is_source, &source));
    a.scope = choose_scope(m, dests, n);
    a.m = mapping_new(source, n);
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        st = check_dest(&a, i);
        st = st == ST_OK ? add_dest(&a, &dests[i]) : st;
        a.m->loses_rest |= str_equal(dests[i].subject, source);
    }
    if (st != ST_OK) {
        mapping_free(a.m);
        return st;
    }
    insert(m, a.m);
    return ST_OK;
}

/* ---- using it */

struct str mapping_apply(const struct mapping *m, struct str subject, uint32_t random,
                         struct buf *out)
{
    uint32_t draw = (uint32_t)((uint64_t)random * 100 >> 32); // [%]

    for (size_t i = 0; i < m->n; i++) {
        if (draw < m->shares[i].below) {
            out->n = 0;
            transform_apply(m->shares[i].transform, subject, random, out);
            return buf_str(out);
        }
    }
    return m->loses_rest ? STR("") : subject;
}
