/* SPDX-License-Identifier: Apache-2.0 */
/* What requests over HTTP are answered with: pages, documents, redirects, errors (spec 07 §2).
 * Thread: control, for all. */
#pragma once

struct http_conn;
struct http_head;

/** Answer a request: at once, or h->query is the answer that is under way. */
void http_answer(struct http_conn *h, const struct http_head *head);

/** Go on with an answer that is under way. */
void http_answer_go_on(struct http_conn *h);

/** Nobody waits any more for the answer that is under way, if there is one. */
void http_answer_give_up(struct http_conn *h);
