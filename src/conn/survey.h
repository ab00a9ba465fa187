/* SPDX-License-Identifier: Apache-2.0 */
/* A survey: every worker looks through its connections, a slice per turn so that nobody waits for
 * it, and what they found comes back to the thread that asked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "io/inbox.h"

struct conn;
struct shard;
struct survey;

/** What one worker found. */
struct survey_part {
    struct inbox_item item; // internal
    struct survey *survey;
    struct shard *shard;
    struct buf found; // filled by `visit`, owned by the survey
    uint32_t slot;    // of the next connection; internal
    uint32_t n_extra; // for `visit` to grow, if that took as long as so many more would
    uint32_t resume; // for `visit` to set, if it has not done with the connection, and to read when
                     // it is called with that again; else 0
    uint64_t visited; // the handle of that connection; internal
};

struct survey {
    /** Look at one connection that is not closing; NULL: none is looked at. Thread: a worker. */
    void (*visit)(struct survey_part *p, struct conn *c);
    /** Look at the worker as a whole, before its connections; NULL: not. Thread: a worker. */
    void (*enter)(struct survey_part *p, struct shard *sh);
    /** All have answered. The survey is the caller's again; survey_deinit releases what was found.
     * Thread: that of `home`. */
    void (*done)(struct survey *s);
    struct worker *home;       // who asks
    struct survey_part *parts; // n_parts of them, by worker number - 1
    unsigned n_parts;
    unsigned n_awaited; // internal
};

/**
 * Start a survey; `visit`, `enter` and `done` are set, the rest is zero.
 * @param s       stays where it is until `done` is called, which always happens later
 * @param home    the calling worker
 * @param shards  by worker number, [1 .. n_workers] of them are asked
 * Thread: that of `home`.  Blocks: no.
 */
void survey_start(struct survey *s, struct worker *home, struct shard **shards, unsigned n_workers);

/** Release what was found. Thread: that of its home. */
void survey_deinit(struct survey *s);
