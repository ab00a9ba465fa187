/* SPDX-License-Identifier: Apache-2.0 */
/* msg_trace: a subject, or { dest, sampling }. The first thing that is wrong is reported. */
#include "auth/trace_options.h"

#include "auth/percent.h"
#include "base/mem.h"
#include "base/quote.h"
#include "proto/pattern.h"

#define SAMPLE_ALL 100 // [%]

static void release(void *field)
{
    struct trace_options *t = field;

    mem_free((char *)(uintptr_t)t->dest);
    *t = (struct trace_options){0};
}

static enum status set_dest(struct trace_options *t, const struct node *value,
                            struct option_reader *r)
{
    if (!pattern_is_valid(value->text) || pattern_has_wildcard(value->text)) {
        return option_report(r, value, "Trace destination \"%v\" is not valid");
    }
    mem_free((char *)(uintptr_t)t->dest);
    t->dest = mem_strndup(value->text.p, value->text.n);
    return ST_OK;
}

static enum status set_sampling(struct trace_options *t, const struct node *value,
                                struct option_reader *r)
{
    int64_t n = 0;

    if (value->kind == NODE_INT) {
        n = value->number;
    } else if (value->kind != NODE_STR) {
        return option_report(r, value,
                             "Trace destination sampling field \"%.*s\" should be an integer or a "
                             "percentage, got %T");
    } else if (percent_parse(percent_strip(value->text), &n) != ST_OK) {
        return option_report(r, value, "Invalid trace destination sampling value \"%v\"");
    }
    if (n < 1 || n > SAMPLE_ALL) {
        diag_error(r->d, &value->at,
                   "Ttrace destination sampling value %lld is invalid, needs to be [1..100]",
                   (long long)n);
        return ST_FAILED;
    }
    t->sampling = (uint8_t)n;
    return ST_OK;
}

static enum status refuse_field(const struct node *map, const struct node *value,
                                struct option_reader *r)
{
    struct buf names[2] = {0};

    quote_go(&names[0], value->key);
    quote_go(&names[1], map->key);
    diag_error(r->d, &value->at, "Unknown field %.*s parsing account message trace map/struct %.*s",
               STR_ARG(buf_str(&names[0])), STR_ARG(buf_str(&names[1])));
    buf_deinit(&names[0]);
    buf_deinit(&names[1]);
    return ST_FAILED;
}

static enum status read_field(struct trace_options *t, const struct node *map,
                              const struct node *value, struct option_reader *r)
{
    if (str_equal_nocase(value->key, STR("sampling"))) {
        return set_sampling(t, value, r);
    }
    if (!str_equal_nocase(value->key, STR("dest"))) {
        return value->is_variable ? ST_OK : refuse_field(map, value, r);
    }
    return value->kind == NODE_STR
               ? set_dest(t, value, r)
               : option_report(r, value, "Field \"%.*s\" should be a string, got %T");
}

static enum status read_map(struct trace_options *t, const struct node *map,
                            struct option_reader *r)
{
    for (const struct node *n = map->first; n; n = n->next) {
        if (read_field(t, map, n, r) != ST_OK) {
            return ST_FAILED;
        }
    }
    if (t->sampling && !t->dest) {
        diag_warning(r->d, &map->at,
                     "Trace destination sampling ignored since no destination was set");
    }
    return ST_OK;
}

static enum status read_trace(void *field, const struct node *value, struct option_reader *r)
{
    struct trace_options *t = field;
    enum status st = ST_OK;

    release(t);
    if (value->kind == NODE_STR) {
        st = set_dest(t, value, r);
    } else if (value->kind == NODE_MAP) {
        st = read_map(t, value, r);
    } else {
        st = option_report(
            r, value,
            "Expected account message trace \"%.*s\" to be a string or a map/struct, got %T");
    }
    t->sampling = t->sampling ? t->sampling : SAMPLE_ALL;
    return st;
}

const struct option_type trace_type = {.read = read_trace, .release = release};
