/* SPDX-License-Identifier: Apache-2.0 */
/* Responses across accounts (spec 05 §9): which reply subjects of the server's own are outstanding,
 * and where each leads.
 *
 * A request that enters an exporting account carries a reply "_R_.xxxxxx.yyyyyy", by which the
 * response finds its way: one subscription per account takes them all. What is outstanding ends
 * when it was answered, could not be delivered, nobody waits for it any more, or after some time.
 * Whichever worker delivers a request adds, whichever delivers a response takes: shared and locked,
 * each lock held for a look-up.
 *
 * Bounded: beyond AWAITED_MAX of a requestor (broker/awaited.h) its own oldest make room. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "broker/latency.h"
#include "broker/tenancy.h"

struct account;
struct delivery;
struct responses;
struct sub;

/** [ns] A response is waited for so long, unless the export says otherwise. */
#define RESPONSES_THRESHOLD_NS (120 * CLOCK_SEC_NS)

/** What is to become of a response. */
struct response_terms {
    struct account *requestor;
    struct str reply; // that the requestor waits for it on
    enum response_type type;
    int64_t threshold_ns;
    struct sub *service;         // that was asked; a reference is taken. NULL: the requestor itself
                                 // is answered with a question
    struct latency_probe *probe; // taken; NULL: it is not measured
};

/** Create what an account needs for responses. @param server_hash  eight characters that tell this
 * server from others, borrowed. Thread: control. */
struct responses *responses_new(struct account *a, const char *server_hash);

/** Drop all that an account owes. Thread: any. */
void responses_clear(struct responses *r);

/** Free it, cleared before as those of all accounts, with its subscription, that may still be in
 * the index. Thread: control, after the workers ended. */
void responses_free(struct responses *r);

/**
 * Await a response.
 * @param r    of the exporting account
 * @param out  becomes the reply subject for the request
 * Thread: a worker.  Locks: r.
 */
void responses_await(struct responses *r, struct delivery *d, const struct response_terms *terms,
                     struct buf *out);

/** Write a subject of that form that no response is awaited on. Thread: a worker.  Locks: r. */
void responses_draw_subject(struct responses *r, struct buf *out);

/** A request could not be delivered: do not wait. @param reply  that responses_await gave.
 * Thread: a worker.  Locks: r. */
void responses_cancel(struct responses *r, struct delivery *d, struct str reply);

/**
 * A subscription of the account is gone: replies that nobody waits for any more are forgotten.
 * @param subject  what it subscribed to
 * Thread: a worker.  Locks: r, the account's index (read).
 */
void responses_unsubscribed(struct responses *r, struct delivery *d, struct str subject);

/** A response that is outstanding, as others are told of it. */
struct response_info {
    struct str subject;              // on which the account owes it
    const struct account *requestor; // and the reply that it waits for
    struct str reply;
    bool is_shared;                     // the account knows who asked
    const struct latency_rule *latency; // by which it is measured; NULL: it is not
    struct str trace_headers;           // that asked for this, as JSON; empty: none
};

/**
 * Tell of responses that the account owes, up to so many, those that have waited long first.
 * @param fn  what it is given is borrowed until it returns; it takes no lock
 * Thread: control.  Locks: r.
 */
void responses_list(struct responses *r, size_t most,
                    void (*fn)(void *arg, const struct response_info *info), void *arg);

/** @return  how many responses the account owes. Thread: any. */
uint64_t responses_count(const struct responses *r);

/** @return  how many requests of the account's clients are unanswered. Thread: any. */
uint64_t responses_count_awaited(const struct responses *r);

/** @return  how many of those were forgotten as there were too many. Thread: any. */
uint64_t responses_count_dropped(const struct responses *r);
