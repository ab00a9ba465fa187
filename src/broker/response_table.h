/* SPDX-License-Identifier: Apache-2.0 */
/* The responses that an account owes: by the token in their reply subjects, and in the order in
 * which their time is over. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ptrset.h"
#include "broker/responses.h"
#include "broker/sub.h"

#define RESPONSE_TOKEN_BYTES 6u

/** One that is outstanding. Before a subscription, which counts for both, and whose subject is the
 * reply that the requestor waits for. */
struct response {
    struct responses *of;             // the account that owes it
    struct response_queue *queue;     // while it is in the table, as the next two
    struct response *next, *prev;     // in the queue
    struct response *younger, *older; // of the requestor's (broker/awaited.h)
    int64_t since_ns;
    bool is_listed; // it is in the table
    enum response_type type;
    struct account *requestor;
    struct sub *service;         // a reference; NULL: a question in return
    struct latency_probe *probe; // owned; NULL: it is not measured
    char token[RESPONSE_TOKEN_BYTES];
};

/** Zero is empty. */
struct response_table {
    struct ptrset by_token;
    struct response_queue **queues; // by how long responses are waited for
    size_t n_queues;
    _Atomic uint64_t n;
};

/** Make a response, not in the table yet; its subscription has one reference, the caller's. Thread:
 * any. */
struct response *response_new(struct responses *r, const struct response_terms *terms);

/** @return  the response of such a subscription. Thread: any. */
static inline struct response *response_of(const struct sub *s)
{
    return sub_record(s, sizeof(struct response));
}

/** @return  the subscription of a response. Thread: any. */
static inline struct sub *response_sub(const struct response *p)
{
    return sub_behind(p, sizeof(*p));
}

/* Thread, for all functions that follow: the one that has the lock of the table's owner. */

/** Release the memory of a table that is empty. */
void response_table_deinit(struct response_table *t);

/** @param token  RESPONSE_TOKEN_BYTES. @return  NULL: there is none */
struct response *response_table_find(const struct response_table *t, const char *token);

/** Add a response, whose token is set. Takes no reference. @param now_ns  not before that of
 * others. */
void response_table_add(struct response_table *t, struct response *p, int64_t threshold_ns,
                        int64_t now_ns);

/** Wait for it as long again. */
void response_table_renew(struct response *p, int64_t now_ns);

/** Take it out. Drops no reference. */
void response_table_remove(struct response_table *t, struct response *p);

/** @return  the one added or renewed first; NULL: there is none */
struct response *response_table_oldest(const struct response_table *t);

/** @return  whether its time is over */
bool response_is_overdue(const struct response *p, int64_t now_ns);

/** @return  the first in one of the n_queues, the others follow by `next`; NULL: there is none */
struct response *response_table_first(const struct response_table *t, size_t queue);

/** @return  one whose time is over; NULL: there is none */
struct response *response_table_overdue(const struct response_table *t, int64_t now_ns);

/** @return  [ns] when the time of the next one is over; INT64_MAX: there is none */
int64_t response_table_due(const struct response_table *t);
