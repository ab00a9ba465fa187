/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to its answer. Documents that may be large come in pieces: one is written when the
 * one before is all but sent. They take turns, a piece each, so that slow readers do not keep
 * others waiting. An answer that has begun holds on to what it is made of until its reader has
 * taken all, so there are only so many; others wait, and hold nothing but what was asked. */
#include "monitor/http_answer.h"

#include "http/head.h"
#include "http/path.h"
#include "http/query_string.h"
#include "monitor/doc.h"
#include "monitor/doc_options.h"
#include "monitor/docs.h"
#include "monitor/http_conn.h"
#include "monitor/http_redirect.h"
#include "monitor/http_server.h"
#include "monitor/monitor.h"
#include "monitor/pages.h"
#include "monitor/query.h"

#define MOST_LARGE_ANSWERS 16u // that are being made at a time
#define MOST_BEGUN_ANSWERS 64u // that hold on to what they are made of

static const char text_type[] = "text/plain; charset=utf-8";

static void reply_text(struct http_conn *h, int status, struct str text)
{
    http_conn_reply(
        h, (struct http_reply){.status = http_status(status), .content_type = text_type}, text);
    http_conn_answered(h);
}

/* ---- large answers take turns */

static bool may_go_on(const struct http_conn *h)
{
    const struct http_server *s = h->server;

    return s->n_large < MOST_LARGE_ANSWERS && (h->is_begun || s->n_begun < MOST_BEGUN_ANSWERS);
}

static void begin_turn(struct http_conn *h)
{
    h->is_counted = true;
    h->server->n_large++;
    h->server->n_begun += !h->is_begun;
    h->is_begun = true;
}

/* @return  whether it is its turn; else it waits */
static bool take_turn(struct http_conn *h)
{
    struct http_server *s = h->server;

    if (may_go_on(h)) {
        begin_turn(h);
        return true;
    }
    *s->last_end = h;
    s->last_end = &h->next;
    h->next = NULL;
    return false;
}

static void stop_waiting(struct http_conn *h)
{
    struct http_server *s = h->server;
    struct http_conn **at = &s->waiting;

    while (*at && *at != h) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = h->next;
        if (!*at) {
            s->last_end = at;
        }
    }
}

/* Others may go on while its reader takes what there is. */
static void end_turn(struct http_conn *h)
{
    struct http_server *s = h->server;
    struct http_conn *next;

    s->n_large -= h->is_counted;
    h->is_counted = false;
    for (struct http_conn *w = s->waiting; w && s->n_large < MOST_LARGE_ANSWERS; w = next) {
        next = w->next;
        if (may_go_on(w)) {
            stop_waiting(w);
            begin_turn(w);
            http_conn_go_on_soon(w);
        }
    }
}

static void end_turns(struct http_conn *h)
{
    h->server->n_begun -= h->is_begun;
    h->is_begun = false;
    end_turn(h);
}

/* ---- documents */

static struct http_reply head_of(const struct query *q)
{
    const struct doc *doc = q->doc;
    struct http_reply r = {.status = http_status(q->status), .content_type = doc->content_type};

    if (q->error.n) {
        r.content_type = text_type;
    } else if (!r.content_type) {
        r.content_type = "application/json";
        r.fields = STR("Access-Control-Allow-Origin: *\r\n");
    }
    return r;
}

static void end_query(struct http_conn *h)
{
    h->query = NULL;
    end_turns(h);
    http_conn_answered(h);
}

static void write_whole(struct http_conn *h, const struct query *q)
{
    struct buf out = {0};

    if (q->error.n) {
        http_conn_reply(h, head_of(q), buf_str(&q->error));
        return;
    }
    json_indent_add(&h->indent, buf_str(&q->out), &out);
    http_conn_reply(h, head_of(q), buf_str(&out));
    buf_deinit(&out);
}

static void begin_pieces(struct http_conn *h, const struct query *q)
{
    struct http_reply r = head_of(q);

    h->has_begun = true;
    h->keeps_alive = h->keeps_alive && !h->is_1_0;
    r.framing = h->is_1_0 ? HTTP_UNTIL_END : HTTP_CHUNKED;
    http_conn_write_head(h, r);
}

static void write_piece(struct http_conn *h, struct query *q)
{
    struct buf text = {0};
    struct buf chunk = {0};

    json_indent_add(&h->indent, buf_str(&q->out), &text);
    q->out.n = 0;
    if (h->is_1_0) {
        conn_write(&h->conn, buf_str(&text));
    } else if (text.n) {
        http_chunk_begin(&chunk, text.n);
        conn_write(&h->conn, buf_str(&chunk));
        http_chunk_end(&text);
        conn_write(&h->conn, buf_str(&text));
    }
    buf_deinit(&text);
    buf_deinit(&chunk);
}

static void write_end(struct http_conn *h)
{
    struct buf end = {0};

    if (!h->is_1_0) {
        http_chunk_end_all(&end);
        conn_write(&h->conn, buf_str(&end));
    }
    buf_deinit(&end);
}

static void on_piece(struct query *q)
{
    struct http_conn *h = q->asker_arg;

    if (!h->has_begun) {
        begin_pieces(h, q);
    }
    if (h->is_head) { // that was all that was asked for
        query_abandon(q);
        end_query(h);
        return;
    }
    write_piece(h, q);
    if (h->conn.out.n_bytes) {
        http_conn_pause(h);
        end_turn(h);
    } else {
        http_conn_go_on_soon(h);
    }
}

static void on_done(struct query *q)
{
    struct http_conn *h = q->asker_arg;

    if (!h->has_begun) {
        write_whole(h, q);
    } else if (q->error.n) { // too late to say so
        h->keeps_alive = false;
    } else {
        write_piece(h, q);
        write_end(h);
    }
    query_free(q);
    end_query(h);
}

static const struct asker_ops asker_ops = {.on_piece = on_piece, .on_done = on_done};

static void start_query(struct http_conn *h)
{
    h->is_started = true;
    query_start(h->query);
}

void http_answer_go_on(struct http_conn *h)
{
    if (h->query->doc->is_large && !h->is_counted && !take_turn(h)) {
        return;
    }
    if (h->is_started) {
        query_go_on(h->query);
    } else {
        start_query(h);
    }
}

void http_answer_give_up(struct http_conn *h)
{
    if (!h->query) {
        return;
    }
    stop_waiting(h);
    if (h->is_started) {
        query_abandon(h->query);
    } else {
        query_free(h->query);
    }
    h->query = NULL;
    end_turns(h);
}

/* @param i  number of the document */
static void answer_doc(struct http_conn *h, const struct doc *doc, size_t i, struct str parameters)
{
    struct monitor *m = h->server->monitor;
    struct query *q = query_new(m, doc, &asker_ops, h);
    bool is_good = doc_options_from_query_string(q, parameters);

    m->n_requests[i] += doc->is_counted && (is_good || !doc->counts_if_decoded);
    q->is_http = true;
    h->query = q;
    h->has_begun = h->is_started = h->is_pausing = false;
    h->indent = (struct json_indent){.width = doc->indent};
    if (!is_good) {
        h->is_started = true;
        query_finish(q);
    } else if (!doc->is_large || take_turn(h)) {
        start_query(h);
    }
}

/* ---- paths */

static void answer_page(struct http_conn *h, const struct page *page)
{
    struct buf body = {0};

    page->write(page, h->server, &body);
    http_conn_reply(h,
                    (struct http_reply){.status = http_status(page->status),
                                        .content_type = page->content_type,
                                        .fields = str_of(h->server->site->page_fields)},
                    buf_str(&body));
    buf_deinit(&body);
    http_conn_answered(h);
}

static void answer_not_found(struct http_conn *h)
{
    http_conn_reply(h,
                    (struct http_reply){.status = http_status(404),
                                        .content_type = text_type,
                                        .fields = STR("X-Content-Type-Options: nosniff\r\n")},
                    STR("404 page not found\n"));
    http_conn_answered(h);
}

/* Cuts the base path off; what is left is "/" or the path of a document, or nothing that there
 * is. */
static struct str cut_base(const struct http_server *s, struct str path)
{
    if (s->base.n == 0) {
        return path;
    }
    if (!str_starts_with(path, s->base)) {
        return STR("");
    }
    path = (struct str){.p = path.p + s->base.n, .n = path.n - s->base.n};
    if (path.n == 0) {
        return STR("/");
    }
    return path.n == 1 ? STR("") : path;
}

static void add_slash(struct http_conn *h, struct str path, struct str parameters)
{
    struct buf to = {0};

    buf_printf(&to, "%.*s/", STR_ARG(path));
    http_redirect(h, buf_str(&to), parameters);
    buf_deinit(&to);
}

static void answer_path(struct http_conn *h, struct str path, struct str parameters)
{
    size_t i;
    struct str rest = cut_base(h->server, path);
    const struct http_site *site = h->server->site;
    const struct page *page = pages_find(site, rest);
    const struct doc *doc =
        str_starts_with(rest, str_of(site->docs_below)) ? docs_find_path(rest, &i) : NULL;

    if (page) {
        answer_page(h, page);
    } else if (doc) {
        answer_doc(h, doc, i, parameters);
    } else if (pages_want_slash(site, rest)) {
        add_slash(h, path, parameters);
    } else {
        answer_not_found(h);
    }
}

/* The path of "http://host/path?x" or "/path?x". @return  false: it has none */
static bool cut_target(struct str target, struct str *path, struct str *parameters)
{
    const char *mark = memchr(target.p, '?', target.n);
    size_t n = mark ? (size_t)(mark - target.p) : target.n;
    const char *host = target.p[0] == '/' ? NULL : memmem(target.p, n, "://", 3);
    const char *end = target.p + n;
    const char *start = target.p;

    if (host) {
        start = memchr(host + 3, '/', (size_t)(end - host - 3));
        start = start ? start : end;
    }
    *path = (struct str){.p = start, .n = (size_t)(end - start)};
    *parameters = (struct str){.p = mark ? end + 1 : end, .n = target.n - n - (mark != NULL)};
    return host || target.p[0] == '/';
}

void http_answer(struct http_conn *h, const struct http_head *head)
{
    struct str path;
    struct str parameters;
    struct buf decoded = {0};
    struct buf clean = {0};

    if (!cut_target(head->target, &path, &parameters) || !percent_decode(path, &decoded)) {
        h->keeps_alive = false;
        reply_text(h, 400, STR("400 Bad Request"));
    } else {
        http_path_clean(buf_str(&decoded), &clean);
        if (str_equal(buf_str(&decoded), buf_str(&clean))) {
            answer_path(h, buf_str(&clean), parameters);
        } else {
            http_redirect(h, buf_str(&clean), parameters);
        }
    }
    buf_deinit(&decoded);
    buf_deinit(&clean);
}
