/* SPDX-License-Identifier: Apache-2.0 */
/* A list sorted by name. */
#include "broker/accounts.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "broker/account.h"
#include "broker/links.h"
#include "broker/responses.h"

void accounts_init(struct accounts *t, unsigned n_readers, const char *server_hash)
{
    *t = (struct accounts){.n_readers = n_readers};
    snprintf(t->server_hash, sizeof(t->server_hash), "%s", server_hash);
    pthread_mutex_init(&t->lock, NULL);
}

void accounts_deinit(struct accounts *t)
{
    links_deinit(t);
    for (size_t i = 0; i < t->n; i++) {
        responses_clear(t->at[i]->responses);
    }
    for (size_t i = 0; i < t->n; i++) {
        account_free(t->at[i]);
    }
    mem_free(t->at);
    pthread_mutex_destroy(&t->lock);
    *t = (struct accounts){0};
}

/* @return  where the name is, or where it belongs */
static size_t find_place(const struct accounts *t, struct str name)
{
    size_t low = 0;
    size_t high = t->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (str_compare(str_of(t->at[middle]->name), name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct account *accounts_get(struct accounts *t, const char *name)
{
    pthread_mutex_lock(&t->lock);
    size_t place = find_place(t, str_of(name));

    if (place == t->n || strcmp(t->at[place]->name, name) != 0) {
        t->at = mem_realloc(t->at, (t->n + 1) * sizeof(struct account *));
        memmove(t->at + place + 1, t->at + place, (t->n - place) * sizeof(struct account *));
        t->at[place] = account_new(name, t->n_readers, t->server_hash);
        t->n++;
    }
    struct account *a = t->at[place];
    pthread_mutex_unlock(&t->lock);
    return a;
}

struct account *accounts_find(struct accounts *t, struct str name)
{
    pthread_mutex_lock(&t->lock);
    size_t place = find_place(t, name);
    struct account *a =
        place < t->n && str_equal(str_of(t->at[place]->name), name) ? t->at[place] : NULL;

    pthread_mutex_unlock(&t->lock);
    return a;
}

struct account **accounts_list(struct accounts *t, size_t *n)
{
    pthread_mutex_lock(&t->lock);
    struct account **list = mem_alloc(t->n * sizeof(list[0]));

    memcpy(list, t->at, t->n * sizeof(list[0]));
    *n = t->n;
    pthread_mutex_unlock(&t->lock);
    return list;
}
