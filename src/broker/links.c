/* SPDX-License-Identifier: Apache-2.0 */
/* New links are built beside the old ones; then each importing account's services change in one
 * step, so that a request finds the old or the new ones, never both or none. */
#include "broker/links.h"

#include <string.h>

#include "base/mem.h"
#include "broker/account.h"
#include "broker/accounts.h"
#include "broker/index.h"
#include "broker/responses.h"
#include "broker/service_import.h"
#include "broker/stream_import.h"

static struct account *account_of(struct accounts *t, const struct tenant *tenant)
{
    return accounts_get(t, tenant->name.p); // ends with a NUL, as all strings of an arena
}

static struct sub *find_service(const struct links *l, const struct import *import,
                                const struct account *to)
{
    for (size_t i = 0; l && i < l->n_services; i++) {
        const struct service_import *s = service_import_of(l->services[i]);

        if (s->exporter == to && import_equal(s->import, import)) {
            return l->services[i];
        }
    }
    return NULL;
}

static struct stream_import *find_stream(const struct links *l, const struct import *import,
                                         const struct account *to)
{
    for (size_t i = 0; l && i < l->n_streams; i++) {
        if (l->streams[i]->exporter == to && import_equal(l->streams[i]->import, import)) {
            return l->streams[i];
        }
    }
    return NULL;
}

static void add_service(struct links *l, const struct links *before, const struct import *import,
                        struct account *from, struct account *to)
{
    struct sub *s = find_service(before, import, to);

    if (s) {
        sub_ref(s);
        service_import_follow(service_import_of(s), l->tenancy, import);
    } else {
        s = service_import_new(l->tenancy, import, from, to);
    }
    l->services[l->n_services++] = s;
}

static void add_stream(struct links *l, const struct links *before, const struct import *import,
                       struct account *from, struct account *to)
{
    struct stream_import *s = find_stream(before, import, to);

    if (s) {
        stream_import_ref(s);
        stream_import_follow(s, l->tenancy, import);
    } else {
        s = stream_import_new(l->tenancy, import, from, to);
    }
    l->streams[l->n_streams++] = s;
}

static struct links *links_new(struct accounts *t, struct account *a, struct tenancy *tenancy,
                               const struct links *before)
{
    struct links *l = mem_zalloc(sizeof(*l));
    size_t n;

    l->tenancy = tenancy_ref(tenancy);
    l->tenant = tenancy_find(tenancy, str_of(a->name));
    n = l->tenant ? l->tenant->n_imports : 0;
    l->services = mem_zalloc((n + 1) * sizeof(struct sub *));
    l->streams = mem_zalloc((n + 1) * sizeof(struct stream_import *));
    for (size_t i = 0; i < n; i++) {
        const struct import *import = &l->tenant->imports[i];
        struct account *to = account_of(t, import->from);

        if (import->is_service) {
            add_service(l, before, import, a, to);
        } else {
            add_stream(l, before, import, a, to);
        }
    }
    return l;
}

static void links_free(struct links *l)
{
    if (!l) {
        return;
    }
    for (size_t i = 0; i < l->n_services; i++) {
        sub_unref(l->services[i]);
    }
    for (size_t i = 0; i < l->n_streams; i++) {
        stream_import_unref(l->streams[i]);
    }
    mem_free(l->services);
    mem_free(l->streams);
    tenancy_unref(l->tenancy);
    mem_free(l);
}

/* Those of `l` that are not in `other`; owned by the caller. */
static struct sub **list_services(const struct links *l, const struct links *other, size_t *n)
{
    struct sub **list = mem_alloc((l ? l->n_services + 1 : 1) * sizeof(struct sub *));

    *n = 0;
    for (size_t i = 0; l && i < l->n_services; i++) {
        size_t k = 0;

        while (other && k < other->n_services && other->services[k] != l->services[i]) {
            k++;
        }
        if (!other || k == other->n_services) {
            list[(*n)++] = l->services[i];
        }
    }
    return list;
}

static void exchange_services(struct account *a, const struct links *before,
                              const struct links *now)
{
    size_t n_out;
    size_t n_in;
    struct sub **out = list_services(before, now, &n_out);
    struct sub **in = list_services(now, before, &n_in);

    if (n_out || n_in) {
        index_exchange(a->index, out, n_out, in, n_in);
    }
    mem_free(out);
    mem_free(in);
}

/* Mappings first: what is known of subjects is out of date after that. */
static void put_in_force(struct account *a, struct links *now)
{
    struct links *before = atomic_exchange(&a->links, now);

    atomic_store(&a->mappings, now->tenant ? now->tenant->mappings : NULL);
    exchange_services(a, before, now);
    index_touch_all(a->index);
    a->retired = before;
}

void links_make(struct accounts *t, struct tenancy *tenancy)
{
    struct links **made;
    size_t n;

    for (size_t i = 0; i < tenancy->n; i++) {
        account_of(t, &tenancy->at[i]);
    }
    n = t->n; // nobody else adds any
    made = mem_alloc((n + 1) * sizeof(struct links *));
    for (size_t i = 0; i < n; i++) {
        made[i] = links_new(t, t->at[i], tenancy, atomic_load(&t->at[i]->links));
    }
    for (size_t i = 0; i < n; i++) {
        put_in_force(t->at[i], made[i]);
    }
    for (size_t i = 0; i < n; i++) { // nobody asks those that are gone any more
        if (!made[i]->tenant) {
            responses_clear(t->at[i]->responses);
        }
    }
    mem_free(made);
}

void links_settle(struct accounts *t)
{
    for (size_t i = 0; i < t->n; i++) {
        links_free(t->at[i]->retired);
        t->at[i]->retired = NULL;
    }
}

void links_deinit(struct accounts *t)
{
    links_settle(t);
    for (size_t i = 0; i < t->n; i++) {
        links_free(atomic_exchange(&t->at[i]->links, NULL));
    }
}
