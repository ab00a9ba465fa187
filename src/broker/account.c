/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: a name, an index, and how many clients it has. */
#include "broker/account.h"

#include <string.h>

#include "base/mem.h"
#include "broker/index.h"
#include "broker/responses.h"
#include "conn/tally.h"

struct account *account_new(const char *name, unsigned n_readers, const char *server_hash)
{
    struct account *a = mem_zalloc(sizeof(*a));

    a->name = mem_strndup(name, strlen(name));
    a->index = index_new(n_readers);
    a->responses = responses_new(a, server_hash);
    a->max_clients = -1;
    a->tallies = mem_zalloc_aligned(n_readers * sizeof(struct tally));
    a->n_tallies = n_readers;
    return a;
}

void account_set_limit(struct account *a, int64_t max_clients)
{
    int64_t surplus = max_clients < 0 ? 0 : atomic_load(&a->n_clients) - max_clients;

    atomic_store(&a->max_clients, max_clients);
    atomic_store(&a->n_surplus, surplus > 0 ? surplus : 0);
}

bool account_enter(struct account *a)
{
    int64_t max = atomic_load(&a->max_clients);

    if (atomic_fetch_add(&a->n_clients, 1) >= max && max >= 0) {
        atomic_fetch_sub(&a->n_clients, 1);
        return false;
    }
    return true;
}

struct traffic account_traffic(const struct account *a)
{
    struct traffic sum = {0};

    for (unsigned i = 0; i < a->n_tallies; i++) {
        tally_sum(&a->tallies[i], &sum);
    }
    if ((int64_t)sum.out_msgs < 0 || (int64_t)sum.out_bytes < 0) { // about to go out
        sum.out_msgs = sum.out_bytes = 0;
    }
    return sum;
}

void account_leave(struct account *a)
{
    atomic_fetch_sub(&a->n_clients, 1);
}

void account_free(struct account *a)
{
    if (a) {
        index_free(a->index);
        responses_free(a->responses);
        mem_free(a->tallies);
        mem_free(a->name);
        mem_free(a);
    }
}
