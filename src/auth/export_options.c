/* SPDX-License-Identifier: Apache-2.0 */
/* An array of { stream: subject, … } and { service: subject, … }. What needs other accounts to be
 * judged is judged in tenancy_make.c. */
#include "auth/export_options.h"

#include "auth/percent.h"
#include "base/mem.h"
#include "base/quote.h"
#include "conf/value.h"

#define SAMPLE_ALL 100 // [%]

/* What only services have. */
static enum status refuse_on_stream(const struct export_options *e, const struct node *value,
                                    const char *what, struct option_reader *r)
{
    if (e->is_stream) {
        diag_error(r->d, &value->at, "Detected %s directive on non-service", what);
    }
    return e->is_stream ? ST_FAILED : ST_OK;
}

/* ---- accounts */

static enum status read_names(void *field, const struct node *value, struct option_reader *r)
{
    struct option_list *l = field;

    if (value->kind != NODE_ARRAY) {
        return option_wrong_type(r, value, node_kind_name(NODE_ARRAY));
    }
    option_list_clear(l);
    for (const struct node *n = value->first; n; n = n->next) {
        if (n->kind != NODE_STR) {
            return option_wrong_type(r, n, node_kind_name(NODE_STR));
        }
        option_list_add(l, n->text);
    }
    return ST_OK;
}

static void release_names(void *field)
{
    option_list_clear(field);
}

static const struct option_type names_type = {.read = read_names, .release = release_names};

/* ---- response, threshold, allow_trace */

static const struct {
    const char *name;
    enum response_type type;
} response_types[] = {
    {"single", RESPONSE_SINGLETON}, {"singleton", RESPONSE_SINGLETON}, {"stream", RESPONSE_STREAM},
    {"chunk", RESPONSE_CHUNKED},    {"chunked", RESPONSE_CHUNKED},
};

static enum status set_response(void *base, const struct node *value, struct option_reader *r)
{
    struct export_options *e = base;

    if (e->has_response) {
        return option_report(r, value, "Duplicate response type definition");
    }
    if (value->kind != NODE_STR) {
        return option_report(r, value, "Expected response type to be string, got %T");
    }
    e->has_response = true;
    for (size_t i = 0; i < ARRAY_SIZE(response_types); i++) {
        if (str_equal_nocase(str_of(response_types[i].name), value->text)) {
            e->response = response_types[i].type;
            return refuse_on_stream(e, value, "response", r);
        }
    }
    return option_report(r, value, "Unknown response type: \"%v\"");
}

static enum status set_threshold(void *base, const struct node *value, struct option_reader *r)
{
    static const char *const what = "Expected response threshold to be a parseable time duration, "
                                    "got";
    struct export_options *e = base;
    struct buf text = {0};
    int64_t ns = 0;

    if (e->has_threshold) {
        return option_report(r, value, "Duplicate response threshold detected");
    }
    e->has_threshold = true;
    if (value->kind != NODE_STR) {
        diag_error(r->d, &value->at, "%s %s", what, node_kind_name(value->kind));
        return ST_FAILED;
    }
    enum status st = value_parse_duration(value->text, &ns, &text);
    if (st != ST_OK) {
        text.n = 0; // the reference does not tell why, either
        quote_go(&text, value->text);
        diag_error(r->d, &value->at, "%s %.*s", what, STR_ARG(buf_str(&text)));
    }
    buf_deinit(&text);
    e->threshold_ns = ns > 0 ? ns : e->threshold_ns;
    return st == ST_OK ? refuse_on_stream(e, value, "response", r) : ST_FAILED;
}

static enum status set_trace(void *base, const struct node *value, struct option_reader *r)
{
    struct export_options *e = base;

    if (value->kind != NODE_BOOL) {
        return option_wrong_type(r, value, node_kind_name(NODE_BOOL));
    }
    e->allow_trace = value->truth;
    return refuse_on_stream(e, value, "allow_trace", r);
}

/* ---- latency */

static enum status read_sample_text(const struct node *value, int64_t *out, struct option_reader *r)
{
    struct str digits = percent_strip(value->text);
    struct buf quoted = {0};
    enum status st = percent_parse(digits, out);

    if (st != ST_OK) {
        quote_go(&quoted, digits);
        diag_error(r->d, &value->at,
                   "Failed to parse latency sample: strconv.Atoi: parsing %.*s: %s",
                   STR_ARG(buf_str(&quoted)),
                   st == ST_OUT_OF_RANGE ? "value out of range" : "invalid syntax");
    }
    buf_deinit(&quoted);
    return st;
}

static enum status set_sampling(struct latency_options *l, const struct node *value,
                                struct option_reader *r)
{
    int64_t n = 0;

    if (value->kind == NODE_INT) {
        n = value->number;
    } else if (value->kind != NODE_STR) {
        return option_report(r, value,
                             "Expected latency sample to be a string or map/struct, got %T");
    } else if (str_equal_nocase(value->text, STR("headers"))) {
        l->sampling = 0;
        return ST_OK;
    } else if (read_sample_text(value, &n, r) != ST_OK) {
        return ST_FAILED;
    }
    if (n < 1 || n > SAMPLE_ALL) {
        return option_report(r, value, "bad sampling percentage, should be 1-100");
    }
    l->sampling = (uint8_t)n;
    return ST_OK;
}

static void set_subject(struct latency_options *l, struct str text)
{
    mem_free((char *)(uintptr_t)l->subject);
    l->subject = mem_strndup(text.p, text.n);
}

/* Other keys than these two, in just this case, are ignored. */
static enum status read_latency_map(struct latency_options *l, const struct node *map,
                                    struct option_reader *r)
{
    for (const struct node *n = map->first; n; n = n->next) {
        if (str_equal(n->key, STR("sampling")) && set_sampling(l, n, r) != ST_OK) {
            return ST_FAILED;
        }
        if (!str_equal(n->key, STR("subject"))) {
            continue;
        }
        if (n->kind != NODE_STR) {
            return option_report(r, n, "Expected latency subject to be a string, got string");
        }
        set_subject(l, n->text);
    }
    return l->subject ? ST_OK : option_report(r, map, "Latency subject required, but missing");
}

static void release_latency(void *field)
{
    struct latency_options *l = field;

    mem_free((char *)(uintptr_t)l->subject);
    *l = (struct latency_options){0};
}

static enum status read_latency(void *field, const struct node *value, struct option_reader *r)
{
    struct latency_options *l = field;

    release_latency(l);
    l->sampling = SAMPLE_ALL;
    switch (value->kind) {
    case NODE_STR:
        set_subject(l, value->text);
        return ST_OK;
    case NODE_MAP:
        return read_latency_map(l, value, r);
    default:
        return option_report(r, value,
                             "Expected latency entry to be a map/struct or string, got %T");
    }
}

static enum status check_latency(void *base, const struct node *value, struct option_reader *r)
{
    return refuse_on_stream(base, value, "latency", r);
}

static const struct option_type latency_type = {.read = read_latency, .release = release_latency};

/* ---- one export */

static const struct option export_rows[] = {
    OPTION_STR("stream", struct export_options, stream,
               .wrong = "Expected stream name to be string, got %T",
               .doc = "Subject of messages that other accounts may receive."),
    OPTION_STR("service", struct export_options, service,
               .wrong = "Expected service name to be string, got %T",
               .doc = "Subject of requests that other accounts may send."),
    OPTION_OTHER("accounts", struct export_options, accounts, &names_type,
                 .doc = "Accounts that may import it; none: all."),
    OPTION_INT("account_token_position", struct export_options, account_token,
               .doc = "Token of the subject, from 1, that must be the importing account's name."),
    OPTION_CUSTOM("response", set_response, .aliases = "response_type",
                  .doc = "Responses to a request of a service: singleton, stream or chunked."),
    OPTION_CUSTOM("threshold", set_threshold,
                  .aliases = "response_threshold response_max_time response_time",
                  .doc = "Time in which a service responds, as text; 2m."),
    OPTION_OTHER("latency", struct export_options, latency, &latency_type, .check = check_latency,
                 .doc = "Subject for metrics of a service, or { subject, sampling }, the latter in "
                        "percent or \"headers\"."),
    OPTION_CUSTOM("allow_trace", set_trace,
                  .doc = "Traces of messages go on in this account, for a service."),
    OPTION_END};

/* A stream or a service: the second one in the file is too much. */
static enum status check_export(void *base, const struct node *value, struct option_reader *r)
{
    const struct node *first = NULL;

    (void)base;
    for (const struct node *n = value->first; n; n = n->next) {
        bool is_stream = str_equal_nocase(n->key, STR("stream"));

        if (!is_stream && !str_equal_nocase(n->key, STR("service"))) {
            continue;
        }
        if (first) {
            return option_report(r, n,
                                 is_stream ? "Detected stream \"%v\" but already saw a service"
                                           : "Detected service \"%v\" but already saw a stream");
        }
        first = n;
    }
    return ST_OK;
}

static const struct option export_block = OPTION_BLOCK("", export_rows, .check = check_export);

/* ---- the list */

static void release_list(void *field)
{
    struct export_list *l = field;

    for (size_t i = 0; i < l->n; i++) {
        option_deinit_block(&export_block, &l->at[i]);
    }
    mem_free(l->at);
    *l = (struct export_list){0};
}

static struct export_options *add(struct export_list *l)
{
    l->at = mem_realloc(l->at, (l->n + 1) * sizeof(*l->at));
    struct export_options *e = &l->at[l->n++];

    *e = (struct export_options){.threshold_ns = EXPORT_THRESHOLD_NS};
    option_init_block(&export_block, e);
    return e;
}

static enum status read_list(void *field, const struct node *value, struct option_reader *r)
{
    struct export_list *l = field;
    enum status st = ST_OK;

    if (value->kind != NODE_ARRAY) {
        return option_report(r, value, "Exports should be an array, got %T");
    }
    release_list(l);
    for (const struct node *n = value->first; n; n = n->next) {
        if (n->kind != NODE_MAP) {
            st = option_report(r, n, "Export Items should be a map with type entry, got %T");
            continue;
        }
        struct export_options *e = add(l);

        e->is_stream = node_find(n, STR("stream")) && !node_find(n, STR("service"));
        if (option_read_block(&export_block, e, n, r) != ST_OK) {
            st = ST_FAILED;
        }
    }
    return st;
}

const struct option_type export_list_type = {
    .read = read_list, .release = release_list, .rows = export_rows, .element = "[]"};
