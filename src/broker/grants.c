/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of grants, and a list of them by age: all are good for the same time, so the oldest
 * is the first to expire. Each grant that comes sweeps out two that are over, so those never
 * pile up. */
#include "broker/grants.h"

#include <pthread.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/ptrset.h"
#include "broker/perms.h"

#define SWEPT_PER_ADD 2u

struct grant {
    struct grant *older, *newer;
    uint64_t hash;
    int64_t start_ns;
    int64_t n_left; // uses; negative: any number
    uint32_t reply_n;
    char reply[];
};

struct grants {
    struct perms_responses responses;
    pthread_mutex_t lock;
    // guarded by: lock
    struct ptrset table;
    struct grant *oldest, *newest;
    size_t n_bytes;
};

struct grants *grants_new(const struct perms *p)
{
    struct grants *g = mem_zalloc(sizeof(*g));

    g->responses = perms_responses(p);
    pthread_mutex_init(&g->lock, NULL);
    return g;
}

static struct str grant_reply(const struct grant *grant)
{
    return (struct str){.p = grant->reply, .n = grant->reply_n};
}

static size_t grant_bytes(const struct grant *grant)
{
    return sizeof(*grant) + grant->reply_n;
}

static inline uint64_t grant_hash(const void *element, const void *arg)
{
    const struct grant *grant = element;

    (void)arg;
    return grant->hash;
}

static inline bool grant_has_reply(const void *element, const void *key)
{
    return str_equal(grant_reply(element), *(const struct str *)key);
}

static struct grant *find(const struct grants *g, uint64_t hash, struct str reply)
{
    return ptrset_find(&g->table, hash, grant_has_reply, &reply);
}

static void append(struct grants *g, struct grant *grant)
{
    grant->older = g->newest;
    grant->newer = NULL;
    *(g->newest ? &g->newest->newer : &g->oldest) = grant;
    g->newest = grant;
}

static void unlink_grant(struct grants *g, struct grant *grant)
{
    *(grant->older ? &grant->older->newer : &g->oldest) = grant->newer;
    *(grant->newer ? &grant->newer->older : &g->newest) = grant->older;
}

static void add_new(struct grants *g, struct grant *grant)
{
    append(g, grant);
    ptrset_add(&g->table, grant->hash, grant, grant_hash, NULL);
    g->n_bytes += grant_bytes(grant);
}

static void drop(struct grants *g, struct grant *grant)
{
    unlink_grant(g, grant);
    ptrset_remove(&g->table, grant->hash, grant, grant_hash, NULL);
    g->n_bytes -= grant_bytes(grant);
    mem_free(grant);
}

static bool is_over(const struct grants *g, const struct grant *grant, int64_t now_ns)
{
    return g->responses.expires_ns >= 0 && now_ns - grant->start_ns > g->responses.expires_ns;
}

/* Drops up to n grants that are over. */
static void sweep(struct grants *g, size_t n, int64_t now_ns)
{
    for (; n && g->table.n && is_over(g, g->oldest, now_ns); n--) {
        drop(g, g->oldest);
    }
}

void grants_free(struct grants *g)
{
    if (!g) {
        return;
    }
    while (g->table.n) {
        drop(g, g->oldest);
    }
    pthread_mutex_destroy(&g->lock);
    mem_free(g);
}

static struct grant *grant_new(struct str reply, uint64_t hash)
{
    struct grant *grant = mem_alloc(sizeof(*grant) + reply.n);

    grant->hash = hash;
    grant->reply_n = (uint32_t)reply.n;
    if (reply.n) {
        memcpy(grant->reply, reply.p, reply.n);
    }
    return grant;
}

void grants_add(struct grants *g, struct str reply, int64_t now_ns)
{
    uint64_t hash = hash_str(reply);

    pthread_mutex_lock(&g->lock);
    sweep(g, SWEPT_PER_ADD, now_ns);
    struct grant *grant = find(g, hash, reply);

    if (grant) {
        unlink_grant(g, grant);
        append(g, grant);
    } else {
        grant = grant_new(reply, hash);
        add_new(g, grant);
    }
    grant->start_ns = now_ns;
    grant->n_left = g->responses.max;
    while (g->n_bytes > GRANTS_MAX_BYTES) {
        drop(g, g->oldest);
    }
    pthread_mutex_unlock(&g->lock);
}

bool grants_take(struct grants *g, struct str reply, int64_t now_ns)
{
    uint64_t hash = hash_str(reply);
    bool is_granted = false;

    pthread_mutex_lock(&g->lock);
    struct grant *grant = find(g, hash, reply);

    if (grant) {
        is_granted = !is_over(g, grant, now_ns) && grant->n_left != 0;
        grant->n_left -= grant->n_left > 0;
        if (!is_granted || grant->n_left == 0) {
            drop(g, grant);
        }
    }
    pthread_mutex_unlock(&g->lock);
    return is_granted;
}

void grants_sweep(struct grants *g, int64_t now_ns)
{
    pthread_mutex_lock(&g->lock);
    sweep(g, SIZE_MAX, now_ns);
    pthread_mutex_unlock(&g->lock);
}

size_t grants_count(struct grants *g)
{
    pthread_mutex_lock(&g->lock);
    size_t n = g->table.n;

    pthread_mutex_unlock(&g->lock);
    return n;
}
