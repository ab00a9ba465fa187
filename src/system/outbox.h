/* SPDX-License-Identifier: Apache-2.0 */
/* How control publishes. It delivers nothing itself: messages go to one worker, which delivers them
 * in the order in which they were posted (spec 06 §3). */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct account;
struct delivery;
struct server_block;
struct worker;

struct outbox {
    struct worker *control;
    struct delivery *delivery; // of the worker that delivers
    struct server_block *block;
    void (*on_room)(void *arg); // see outbox_await_room
    void *room_arg;
    bool is_closed;         // nothing is posted any more
    uint64_t n_dropped;     // events, as too many were on the way
    _Atomic size_t n_bytes; // on the way
    _Atomic bool is_room_awaited;
};

/** Prepare. @param delivery, block  outlive it. Thread: control (as for all here). */
void outbox_init(struct outbox *o, struct worker *control, struct delivery *delivery,
                 struct server_block *block);

/**
 * Ask before an event is made.
 * @return  whether to make it: somebody hears it, and not too much is on the way. If not, it counts
 *          as sent
 */
bool outbox_wants(struct outbox *o, const struct account *a, struct str subject);

/** Publish in an account. @param hdr  a whole block; empty: none. Strings are copied. */
void outbox_post(struct outbox *o, struct account *a, struct str subject, struct str hdr,
                 struct str payload);

/** @return  whether there is room for answers; else they are to wait */
bool outbox_has_room(struct outbox *o);

/** Call on_room when there is room again. */
void outbox_await_room(struct outbox *o);

/** Post nothing from now on, and call fn(arg) once everything posted so far has been handed to the
 * workers of those that get it. */
void outbox_close(struct outbox *o, void (*fn)(void *arg), void *arg);
