/* SPDX-License-Identifier: Apache-2.0 */
/* One request for a document, whoever asks and however. The document answers at once or later, in
 * one piece or in several, so that a large one need not be there as a whole:
 *
 *     asker: query_new, fill `options`, query_start
 *     doc:   answer → write q->json … query_finish
 *                   → write q->json … query_yield(q, more) → (piece taken) more → … query_finish
 *                   → query_fail
 *     asker: on_piece: takes q->out, then query_go_on; on_done: takes what is left, query_free
 *
 * An asker that is gone says query_abandon; the query is freed when the document next speaks.
 * Thread: control, for all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/json.h"

struct doc;
struct monitor;
struct query;

/** [bytes] A document that has written so much should yield. */
#define QUERY_PIECE_BYTES (64u << 10)

struct asker_ops {
    /** A piece is in q->out: take it (leave q->out empty) and call query_go_on, now or later. */
    void (*on_piece)(struct query *q);
    /** That was all: the rest is in q->out, or q->error says what went wrong. */
    void (*on_done)(struct query *q);
};

struct query {
    struct monitor *monitor;
    const struct doc *doc;
    const struct asker_ops *asker;
    void *asker_arg;
    bool is_http;       // few documents tell more over NATS
    void *options;      // as the document has them; zeroed, then what was asked for
    struct arena arena; // for what lives as long as the query
    struct buf out;     // compact JSON
    struct json json;   // writes to `out`
    int status;         // of HTTP: 200; others come with a document, too, or with an error
    struct buf error;   // not empty: the text, in the place of a document
    bool is_empty;      // over NATS there is no reply at all
    bool is_over, is_abandoned;
    void (*more)(struct query *q); // internal: after query_yield
    void *state;                   // the document's own
    void (*release)(void *state);  // how it is given up; NULL: in no way
};

/** @return  a query that is the asker's, with all options zero */
MUST_USE struct query *query_new(struct monitor *m, const struct doc *doc,
                                 const struct asker_ops *asker, void *asker_arg);

/** Have the document answer. on_done may be called, and the query freed, before this returns. */
void query_start(struct query *q);

/** Begin the document: an object with the server's id and the time. For documents, as the next
 * four. */
void query_open_document(struct query *q);

/** The document is complete. */
void query_finish(struct query *q);

/** There is no document but an error. @param status  of HTTP, as 400 */
void query_fail(struct query *q, int status, const char *format, ...) PRINTF_LIKE(3, 4);

/** The same, about something that was asked for, whatever bytes it has: `before`, what, `after`. */
void query_fail_about(struct query *q, int status, const char *before, struct str what,
                      const char *after);

/** Hand over a piece; `more` is called when it has been taken. */
void query_yield(struct query *q, void (*more)(struct query *q));

/** The piece has been taken. For askers, as the next two. */
void query_go_on(struct query *q);

/** Nobody waits for it any more. */
void query_abandon(struct query *q);

/** Free a query that is over. */
void query_free(struct query *q);
