/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts of a server by name. An account stays until the server ends: one that a reload
 * removed has no users any more, but others may still hold pointers to it. */
#pragma once

#include <pthread.h>
#include <stddef.h>

#include "base/str.h"

struct account;

/** Characters that tell a server from others. */
#define ACCOUNTS_HASH_BYTES 8

struct accounts {
    pthread_mutex_t lock;
    struct account **at; // guarded by: lock
    size_t n;            // guarded by: lock
    unsigned n_readers;
    char server_hash[ACCOUNTS_HASH_BYTES + 1];
};

/** Prepare an empty table. @param n_readers as for account_new. @param server_hash  copied.
 * Thread: control. */
void accounts_init(struct accounts *t, unsigned n_readers, const char *server_hash);

/** Free all accounts. Thread: control, after the workers ended. */
void accounts_deinit(struct accounts *t);

/** @return  the account of that name, made if there is none yet. Thread: any. */
struct account *accounts_get(struct accounts *t, const char *name);

/** @return  the account of that name; NULL: there is none. Thread: any. */
struct account *accounts_find(struct accounts *t, struct str name);

/** @return  all accounts there are now, by name; n of them, in an array that is the caller's.
 * Thread: any. */
struct account **accounts_list(struct accounts *t, size_t *n);
