/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners in a hash set, by what they listen to; those that listen to the same hang behind the
 * one that is in the set. Those that listen to everything are found by the empty subject. */
#include "broker/interest.h"

#include "base/hash.h"

static uint64_t key_hash(struct str subject, struct str queue)
{
    return hash_str(subject) ^ (queue.n ? hash_str(queue) << 1 : 0);
}

static uint64_t listener_hash(const void *element, const void *arg)
{
    const struct interest_listener *l = element;

    (void)arg;
    return key_hash(l->subject, l->queue);
}

static bool listens_to(const void *element, const void *key)
{
    const struct interest_listener *l = element;
    const struct interest_change *change = key;

    return str_equal(l->subject, change->subject) && str_equal(l->queue, change->queue);
}

/* The first of those that listen to exactly this, or NULL. */
static struct interest_listener *find_head(const struct interest *in, struct str subject,
                                           struct str queue)
{
    struct interest_change key = {.subject = subject, .queue = queue};

    return ptrset_find(&in->heads, key_hash(subject, queue), listens_to, &key);
}

void interest_init(struct interest *in)
{
    *in = (struct interest){0};
    ENSURE(pthread_mutex_init(&in->lock, NULL) == 0);
}

void interest_deinit(struct interest *in)
{
    ptrset_deinit(&in->heads);
    pthread_mutex_destroy(&in->lock);
}

bool interest_add(struct interest *in, struct interest_listener *l)
{
    struct interest_listener *head = find_head(in, l->subject, l->queue);

    for (const struct interest_listener *other = head; other; other = other->next) {
        if (other == l) {
            return false;
        }
    }
    if (head) {
        l->next = head->next;
        head->next = l;
    } else {
        l->next = NULL;
        ptrset_add(&in->heads, listener_hash(l, NULL), l, listener_hash, NULL);
    }
    atomic_store_explicit(&in->is_on, true, memory_order_release);
    return true;
}

bool interest_remove(struct interest *in, struct interest_listener *l)
{
    struct interest_listener *at = find_head(in, l->subject, l->queue);
    uint64_t hash = listener_hash(l, NULL);

    if (at == l && l->next) {
        ptrset_replace(&in->heads, hash, l, l->next);
    } else if (at == l) {
        ptrset_remove(&in->heads, hash, l, listener_hash, NULL);
    } else {
        while (at && at->next != l) {
            at = at->next;
        }
        if (!at) {
            return false;
        }
        at->next = l->next;
    }
    atomic_store_explicit(&in->is_on, in->heads.n != 0, memory_order_release);
    return true;
}

static void tell_list(struct interest_listener *l, const struct interest_change *change)
{
    for (; l; l = l->next) {
        l->on_change(l, change);
    }
}

void interest_tell(const struct interest *in, const struct interest_change *change)
{
    tell_list(find_head(in, change->subject, change->queue), change);
    tell_list(find_head(in, (struct str){0}, (struct str){0}), change);
}
