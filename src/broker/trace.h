/* SPDX-License-Identifier: Apache-2.0 */
/* The trace of a message: where it came in, by which mappings and imports it went, who got it and
 * who did not, and why (spec 01 §25, spec 05 §16). Whoever meets a message that is traced adds an
 * event (broker/msg_origin.h has the trace); at the end it is published as one document, where the
 * message asked for it.
 *
 * Receivers live on other workers, which alone know what they are called: a trace with such events
 * goes round before it is published. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"
#include "io/inbox.h"

struct account;
struct delivery;
struct msg;
struct msg_origin;
struct peer_ops;
struct sub;
struct trace_event;

/** A trace tells of so many events at most. */
#define TRACE_MAX_EVENTS 10000u

/** Of a worker, so many wait for others to tell who the receivers are; further ones are dropped. */
#define TRACE_MAX_WAITING 16384u

/** What a message says that is not to be traced any further: the value of Nats-Trace-Dest. */
#define TRACE_DISABLED STR("trace disabled")

/** How a traced message is offered to a subscription. */
struct trace_stage {
    const struct account *account; // of the receiver
    const char *refusal;           // why it is not delivered; NULL: it is
    bool is_muted;                 // nobody is to know who gets it
};

struct trace {
    bool is_only;             // to be traced, and delivered to nobody
    struct trace_stage stage; // now
    /* Of trace.c: */
    struct account *account; // of the publisher; it is published there
    struct str dest;
    struct str encoding;  // Accept-Encoding of the message
    struct buf request;   // the message as the document shows it
    struct arena strings; // of the events
    struct trace_event *events;
    size_t n_events, events_cap;
    struct inbox_item item; // for the round
    struct delivery *home;  // of the publisher
    struct trace *next;     // of those to be published there, in order
    bool is_complete;       // all receivers are known
};

/**
 * Begin a trace: a message has come in.
 * @param o          speaker and account are those of the publisher
 * @param m          as published, with headers; everything is copied (as in all functions here)
 * @param msg_bytes  headers and payload
 * @param dest       where to publish the trace, in the publisher's account
 * @return           owned, until trace_send
 * Thread: the publisher's worker (as for all functions here).
 */
MUST_USE struct trace *trace_new(const struct msg_origin *o, const struct msg *m, size_t msg_bytes,
                                 struct str dest);

/** The message was refused as it came in. */
void trace_fail(struct trace *t, struct str error);

/** A mapping of the publisher's account sends the message elsewhere. */
void trace_mapping(struct trace *t, struct str to);

/** The message goes on as a request, or as a response, into another account. */
void trace_service(struct trace *t, const struct account *to, struct str from, struct str subject);

/**
 * The message is about to be offered to a subscription behind that of another account.
 * @param subject  that the receiver sees
 * @param tells    the receiver may be told of
 */
void trace_stream(struct trace *t, const struct account *to, struct str subject, bool tells);

/**
 * A receiver got the message, or would have if it was not only to be traced.
 * @param ops    of the receiver
 * @param error  why it did not; NULL: it did
 */
void trace_egress(struct trace *t, const struct sub *s, const struct peer_ops *ops,
                  const char *error);

/** Publish the trace, sooner or later, after those before, and free it. No delivery is under way.
 * @param home  of the publisher's worker. */
void trace_send(struct trace *take_t, struct delivery *home);

/** Free those that were not published. Thread: control, after the workers ended. */
void trace_drop_all(struct delivery *home);

/** Write the document but for what tells of the server, for trace_send and tests: the members
 * "request" and "events". */
void trace_write(const struct trace *t, struct buf *json);

/** Free a trace that is not to be sent. NULL is allowed. */
void trace_free(struct trace *t);
