/* SPDX-License-Identifier: Apache-2.0 */
/* A connection of monitoring: requests in, one after the other, and replies out. What is replied is
 * the business of http_answer.c. Thread: control, for all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json_indent.h"
#include "base/str.h"
#include "conn/conn.h"
#include "http/body.h"
#include "http/reply.h"
#include "io/addr.h"
#include "io/timer.h"

struct http_server;
struct query;

struct http_conn {
    struct conn conn;
    struct http_server *server;
    struct timer timer;     // the end of patience for a request; while one is answered: go on
    struct http_body body;  // of the request before, which is to be skipped
    size_t n_seen;          // [bytes] of the head that has begun, for http_head_parse
    bool is_1_0, is_head;   // the request that is answered: by HTTP/1.0, without a body
    bool keeps_alive;       // the connection stays open after the answer
    bool is_pausing;        // the answer goes on when output has been sent
    bool has_begun;         // a piece of the answer has been written
    bool is_started;        // the query is
    bool is_counted;        // among server->n_large
    bool is_begun;          // among server->n_begun
    struct query *query;    // the answer that is under way; NULL: none
    struct http_conn *next; // that waits to give a large answer
    struct json_indent indent;
};

/** Begin to serve. @param take_fd  owned by the connection */
void http_conn_start(struct http_server *s, int take_fd, const struct addr *from);

/** Close a connection of the shard at once, be there output or not, if it is of this server. */
void http_conn_abort(struct conn *c, const struct http_server *s);

/**
 * Write the whole answer to a request.
 * @param r     status, content type and further fields
 * @param body  is left out where there must be none
 */
void http_conn_reply(struct http_conn *h, struct http_reply r, struct str body);

/** Write the head of an answer; framing and length are in r. */
void http_conn_write_head(struct http_conn *h, struct http_reply r);

/** A request has been answered: close, or turn to the next one. */
void http_conn_answered(struct http_conn *h);

/** What is queued is to be sent before the answer goes on; http_answer_go_on is called then. */
void http_conn_pause(struct http_conn *h);

/** Have http_answer_go_on called in the next turn. */
void http_conn_go_on_soon(struct http_conn *h);
