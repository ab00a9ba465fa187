/* SPDX-License-Identifier: Apache-2.0 */
/* /healthz: is everything as it should be? (spec 07 §8) What is asked of JetStream is fine while
 * that is not configured. */
#include <stddef.h>

#include "base/attr.h"
#include "monitor/doc.h"
#include "monitor/monitor.h"
#include "monitor/query.h"

struct healthz_options {
    struct str account, stream, consumer;
    bool is_js_enabled, is_js_enabled_only, is_server_only, is_meta_only;
    bool with_details;
};

/** What is wrong. */
struct ailment {
    int status;       // of HTTP
    const char *type; // among several errors
    const char *text; // NULL: nothing is wrong
};

static struct ailment examine(const struct monitor *m, const struct healthz_options *o)
{
    if (o->stream.n && !o->account.n) {
        return (struct ailment){400, "BAD_REQUEST",
                                "\"account\" must not be empty when checking stream health"};
    }
    if (o->consumer.n && !o->stream.n) {
        return (struct ailment){400, "BAD_REQUEST",
                                "\"stream\" must not be empty when checking consumer health"};
    }
    if (m->is_lame_duck) { // no listener for clients
        return (struct ailment){500, "CONNECTION",
                                "failed to be ready for connections after 1ms: server"};
    }
    return (struct ailment){.status = 200};
}

static void write_error(struct json *j, const struct ailment *a, bool with_details)
{
    if (with_details) {
        json_key(j, "errors");
        json_open_array(j);
        json_open_object(j);
        json_add_str(j, "type", str_of(a->type));
        json_add_str(j, "error", str_of(a->text));
        json_close_object(j);
        json_close_array(j);
    } else {
        json_add_str(j, "error", str_of(a->text));
    }
}

static void answer(struct query *q)
{
    const struct healthz_options *o = q->options;
    struct ailment a = examine(q->monitor, o);
    struct json *j = &q->json;

    json_open_object(j);
    json_add_str(j, "status", a.text ? STR("error") : STR("ok"));
    if (!q->is_http) {
        json_add_int(j, "status_code", a.status);
    }
    if (a.text) {
        write_error(j, &a, o->with_details);
    }
    json_close_object(j);
    q->status = a.status;
    query_finish(q);
}

static const struct doc_option options[] = {
    {"js-enabled", "js-enabled", DOC_OPTION_BOOL, offsetof(struct healthz_options, is_js_enabled),
     0},
    {"js-enabled-only", "js-enabled-only", DOC_OPTION_BOOL,
     offsetof(struct healthz_options, is_js_enabled_only), 0},
    {"js-server-only", "js-server-only", DOC_OPTION_BOOL,
     offsetof(struct healthz_options, is_server_only), 0},
    {"js-meta-only", "js-meta-only", DOC_OPTION_BOOL,
     offsetof(struct healthz_options, is_meta_only), 0},
    {"account", "account", DOC_OPTION_STR, offsetof(struct healthz_options, account), 0},
    {"stream", "stream", DOC_OPTION_STR, offsetof(struct healthz_options, stream), 0},
    {"consumer", "consumer", DOC_OPTION_STR, offsetof(struct healthz_options, consumer), 0},
    {"details", "details", DOC_OPTION_BOOL, offsetof(struct healthz_options, with_details), 0},
};

extern const struct doc healthz_doc;
const struct doc healthz_doc = {.name = "HEALTHZ",
                                .path = "/healthz",
                                .options = options,
                                .n_options = ARRAY_SIZE(options),
                                .options_bytes = sizeof(struct healthz_options),
                                .answer = answer,
                                .is_counted = true};
