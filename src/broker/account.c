/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: a name and an index, so far. */
#include "broker/account.h"

#include <string.h>

#include "base/mem.h"
#include "broker/index.h"

struct account *account_new(const char *name, unsigned n_readers)
{
    struct account *a = mem_zalloc(sizeof(*a));

    a->name = mem_strndup(name, strlen(name));
    a->index = index_new(n_readers);
    return a;
}

void account_free(struct account *a)
{
    if (a) {
        index_free(a->index);
        mem_free(a->name);
        mem_free(a);
    }
}
