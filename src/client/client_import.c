/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind the subscriptions of a client, as its account imports streams: lists by the
 * subscription that they belong to. Clients of accounts without imports have none. */
#include "broker/account.h"
#include "broker/links.h"
#include "broker/stream_import.h"
#include "client/client.h"

static uint64_t hash_list(const void *element, const void *arg)
{
    return ptrset_hash_pointer(((const struct imported *)element)->local, arg);
}

static bool is_behind(const void *element, const void *key)
{
    return ((const struct imported *)element)->local == key;
}

static struct imported *take_list(struct client *c, const struct sub *s)
{
    uint64_t hash = ptrset_hash_pointer(s, NULL);
    struct imported *list = ptrset_find(&c->imports, hash, is_behind, s);

    if (list) {
        ptrset_remove(&c->imports, hash, list, hash_list, NULL);
    }
    return list;
}

static void put_list(struct client *c, struct imported *take_list)
{
    if (take_list) {
        ptrset_add(&c->imports, hash_list(take_list, NULL), take_list, hash_list, NULL);
    }
}

void client_import(struct client *c, struct sub *s)
{
    const struct links *links = atomic_load(&c->account->links);

    if (links && links->n_streams) {
        put_list(c, stream_import_subscribe(links, s, take_list(c, s)));
    }
}

/* As with a subscription itself: the flag first, then the look at what was delivered. */
static void close_list(struct client *c, struct imported *list)
{
    for (struct imported *s = list; s; s = s->next) {
        atomic_fetch_or(&imported_sub(s)->flags, SUB_CLOSED);
        c->needs_fence = c->needs_fence || atomic_load(&imported_sub(s)->n_delivered);
    }
}

void client_unimport(struct client *c, struct sub *s)
{
    if (c->imports.n) {
        struct imported *list = take_list(c, s);

        close_list(c, list);
        put_list(c, stream_import_unsubscribe(NULL, list));
    }
}

void client_each_import(struct client *c, void (*fn)(struct client *c, struct imported *s))
{
    uint32_t at = 0;

    for (struct imported *list; (list = ptrset_next(&c->imports, &at)) != NULL;) {
        for (struct imported *s = list; s; s = s->next) {
            fn(c, s);
        }
    }
}

void client_review_imports(struct client *c)
{
    const struct links *links = atomic_load(&c->account->links);
    uint32_t at = 0;

    if (!c->imports.n && !(links && links->n_streams)) {
        return;
    }
    for (struct sub *s; (s = ptrset_next(&c->sids.set, &at)) != NULL;) {
        struct imported *list = stream_import_unsubscribe(links, take_list(c, s));

        put_list(c, stream_import_subscribe(links, s, list));
    }
}
