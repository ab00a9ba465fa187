/* SPDX-License-Identifier: Apache-2.0 */
/* One queue for each time that responses are waited for: in it they are in order by themselves. */
#include "broker/response_table.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "broker/peer.h"
#include "conn/handle.h"

/** Those that are waited for equally long, the oldest first. */
struct response_queue {
    int64_t threshold_ns;
    struct response *first, *last;
};

static void release(struct sub *s)
{
    struct response *p = response_of(s);

    latency_free(p->probe);
    sub_unref(p->service);
    mem_free(p);
}

/* Never written to: it is in no index. */
static const struct peer_ops response_ops = {.kind = "Account", .release = release};

struct response *response_new(struct responses *r, const struct response_terms *terms)
{
    struct sub *s = sub_new_behind(sizeof(struct response), HANDLE_NONE, &response_ops,
                                   terms->reply, (struct str){0}, (struct str){0});
    struct response *p = response_of(s);

    p->of = r;
    p->type = terms->type;
    p->requestor = terms->requestor;
    p->service = terms->service ? sub_ref(terms->service) : NULL;
    p->probe = terms->probe;
    return p;
}

void response_table_deinit(struct response_table *t)
{
    for (size_t i = 0; i < t->n_queues; i++) {
        mem_free(t->queues[i]);
    }
    mem_free(t->queues);
    ptrset_deinit(&t->by_token);
}

static uint64_t hash_token(const void *element, const void *arg)
{
    (void)arg;
    return hash_bytes(((const struct response *)element)->token, RESPONSE_TOKEN_BYTES);
}

static bool has_token(const void *element, const void *key)
{
    return memcmp(((const struct response *)element)->token, key, RESPONSE_TOKEN_BYTES) == 0;
}

struct response *response_table_find(const struct response_table *t, const char *token)
{
    return ptrset_find(&t->by_token, hash_bytes(token, RESPONSE_TOKEN_BYTES), has_token, token);
}

/* There are few of them: one for each threshold in the configuration. */
static struct response_queue *find_queue(struct response_table *t, int64_t threshold_ns)
{
    for (size_t i = 0; i < t->n_queues; i++) {
        if (t->queues[i]->threshold_ns == threshold_ns) {
            return t->queues[i];
        }
    }
    t->queues = mem_realloc(t->queues, (t->n_queues + 1) * sizeof(t->queues[0]));
    struct response_queue *q = mem_zalloc(sizeof(*q));

    q->threshold_ns = threshold_ns;
    t->queues[t->n_queues++] = q;
    return q;
}

static void enqueue(struct response_queue *q, struct response *p, int64_t now_ns)
{
    p->queue = q;
    p->since_ns = now_ns;
    p->next = NULL;
    p->prev = q->last;
    *(q->last ? &q->last->next : &q->first) = p;
    q->last = p;
}

static void dequeue(struct response *p)
{
    struct response_queue *q = p->queue;

    *(p->prev ? &p->prev->next : &q->first) = p->next;
    *(p->next ? &p->next->prev : &q->last) = p->prev;
}

void response_table_add(struct response_table *t, struct response *p, int64_t threshold_ns,
                        int64_t now_ns)
{
    ptrset_add(&t->by_token, hash_token(p, NULL), p, hash_token, NULL);
    enqueue(find_queue(t, threshold_ns), p, now_ns);
    p->is_listed = true;
    atomic_fetch_add_explicit(&t->n, 1, memory_order_relaxed);
}

void response_table_renew(struct response *p, int64_t now_ns)
{
    dequeue(p);
    enqueue(p->queue, p, now_ns);
}

void response_table_remove(struct response_table *t, struct response *p)
{
    ptrset_remove(&t->by_token, hash_token(p, NULL), p, hash_token, NULL);
    dequeue(p);
    p->is_listed = false;
    atomic_fetch_sub_explicit(&t->n, 1, memory_order_relaxed);
}

struct response *response_table_oldest(const struct response_table *t)
{
    struct response *oldest = NULL;

    for (size_t i = 0; i < t->n_queues; i++) {
        struct response *p = t->queues[i]->first;

        if (p && (!oldest || p->since_ns < oldest->since_ns)) {
            oldest = p;
        }
    }
    return oldest;
}

struct response *response_table_first(const struct response_table *t, size_t queue)
{
    return t->queues[queue]->first;
}

static int64_t due_of(const struct response *p)
{
    return p->since_ns + p->queue->threshold_ns;
}

bool response_is_overdue(const struct response *p, int64_t now_ns)
{
    return now_ns >= due_of(p);
}

static struct response *find_next_due(const struct response_table *t)
{
    struct response *next = NULL;

    for (size_t i = 0; i < t->n_queues; i++) {
        struct response *p = t->queues[i]->first;

        if (p && (!next || due_of(p) < due_of(next))) {
            next = p;
        }
    }
    return next;
}

struct response *response_table_overdue(const struct response_table *t, int64_t now_ns)
{
    struct response *p = find_next_due(t);

    return p && response_is_overdue(p, now_ns) ? p : NULL;
}

int64_t response_table_due(const struct response_table *t)
{
    const struct response *p = find_next_due(t);

    return p ? due_of(p) : INT64_MAX;
}
