/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the system account that control answers (spec 06 §6): how they come from the workers
 * that deliver them, wait, and are answered, one after the other. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"
#include "io/inbox.h"
#include "proto/content_coding.h"

struct peer_ops;
struct query;
struct request;
struct service;
struct sub;
struct system;

/** One request. Thread: control, once it has come there. */
struct request {
    struct inbox_item item; // on its way to control
    struct request *next;   // behind it
    struct system *system;
    const struct service *service;
    struct str subject, reply, payload; // in the memory behind it
    size_t n_bytes;                     // that it is counted as while it waits
    bool accepts_coding;                // the answer is to say how it is encoded:
    enum content_coding coding;
    bool is_imported;    // it comes from another account
    struct query *query; // the document that it waits for; NULL: none
    struct buf body;     // as much of that as there is
};

struct request_list {
    struct request *first, *last;
};

struct request_queue {
    struct request_list own, imported; // are answered one after the other, one of each in turn
    struct request_list quick;         // need not wait for those
    struct request *current;           // of the former, is being answered; NULL: none is
    bool is_imported_next;             // of the former
    bool is_running;                   // requests are taken from it right now
    bool is_turn_due;                  // and will be in the next turn
    struct inbox_item turn;            // that turn, while it is due
    _Atomic size_t n_bytes;            // of those that wait, or are on their way here
    _Atomic uint64_t n_dropped;
};

/** Prepare. Thread: control, before the workers run. */
void request_queue_init(struct system *s);

/** Release what waits. Thread: control, after the workers ended. */
void request_queue_deinit(struct system *s);

/** How requests for a service are received. @return  a subscription, with one reference. Thread:
 * control. */
struct sub *request_sub_new(struct system *s, const struct service *service, struct str subject);

/* How a request ends: with one of these, after which it is gone. */

/** Answer it with a text as it is. */
void request_reply(struct request *r, struct str text);

/** Answer it with what the server says of itself, and data, encoded as was asked for. @param data
 * JSON; empty: there is none */
void request_answer(struct request *r, struct str data);

/** Answer it with an error. @param with_null  say that there are no data */
void request_fail(struct request *r, int code, struct str text, bool with_null);

/** Answer it with an error that names the account of its subject. */
void request_fail_account(struct request *r, int code, struct str text);

/** Do not answer it. */
void request_drop(struct request *r);

/**
 * Ask of a request that is to be enveloped whether it is meant for this server.
 * @return  false: it is not, or is not JSON; it has ended
 */
bool request_is_meant(struct request *r);

/** @return  the account that its subject names. */
struct str request_account(const struct request *r);
