/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of monitoring, as answers. They may come later and in pieces, which are collected: a
 * message is sent as a whole. */
#include "base/attr.h"
#include "base/json.h"
#include "base/json_read.h"
#include "io/worker.h"
#include "monitor/doc.h"
#include "monitor/doc_options.h"
#include "monitor/monitor.h"
#include "monitor/query.h"
#include "system/request.h"
#include "system/services.h"
#include "system/system.h"

/* One member of a document, an object; empty: there is none. */
static struct str find_member(struct str doc, const char *name)
{
    struct json_reader r;

    json_read_init(&r, doc);
    while (json_read_member(&r)) {
        bool is_it = json_read_is_key(&r, str_of(name)) && r.token == JSON_OPEN_OBJECT;
        size_t begin = r.at - 1;

        json_read_skip(&r);
        if (is_it) {
            return (struct str){.p = doc.p + begin, .n = r.at - begin};
        }
    }
    return (struct str){0};
}

static void go_on(void *arg)
{
    query_go_on(arg);
}

/* In the next turn: others have their turn as well, and the stack does not grow. */
static void on_piece(struct query *q)
{
    struct request *r = q->asker_arg;

    buf_add(&r->body, buf_str(&q->out));
    q->out.n = 0;
    worker_call(q->monitor->control, go_on, q);
}

static void on_done(struct query *q)
{
    struct request *r = q->asker_arg;
    const char *member = r->service->member;

    if (q->is_empty) {
        request_drop(r);
        return;
    }
    if (q->error.n) {
        request_fail(r, 500, buf_str(&q->error), true);
        return;
    }
    buf_add(&r->body, buf_str(&q->out));
    if (q->doc->is_bare) {
        request_reply(r, buf_str(&r->body));
    } else {
        request_answer(r, member ? find_member(buf_str(&r->body), member) : buf_str(&r->body));
    }
}

static const struct asker_ops asker = {.on_piece = on_piece, .on_done = on_done};

/* What the subject says counts more than what the request does. */
static bool limit_to_account(struct query *q, const struct request *r)
{
    struct buf text = {0};
    struct json j = json_to(&text);
    bool is_ok;

    json_open_object(&j);
    json_add_str(&j, r->service->account_option, request_account(r));
    if (r->service->options) {
        buf_printf(&text, ",%s", r->service->options);
    }
    json_close_object(&j);
    is_ok = doc_options_from_json(q, buf_str(&text));
    buf_deinit(&text);
    return is_ok;
}

void serve_doc(struct request *r)
{
    const struct doc *doc = r->service->doc;

    if (!doc->is_bare && !request_is_meant(r)) {
        return;
    }
    struct query *q = query_new(r->system->monitor, doc, &asker, r);

    r->query = q;
    if (!doc->is_bare && !doc_options_from_json(q, r->payload)) {
        request_fail(r, 400, buf_str(&q->error), false);
        return;
    }
    if (r->service->account_option) {
        ENSURE(limit_to_account(q, r));
    }
    query_start(q);
}
