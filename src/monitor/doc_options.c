/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding of options by their table. What is said of a wrong value in a query string is what the
 * Go server says, down to the name of the function of Go's library that refused it. */
#include "monitor/doc_options.h"

#include "base/json_read.h"
#include "base/quote.h"
#include "http/query_string.h"
#include "monitor/doc.h"
#include "monitor/query.h"

static void *field_of(struct query *q, const struct doc_option *o)
{
    return (char *)q->options + o->offset;
}

/* ---- query strings ---- */

/* Why text is not a value of its kind, as Go's strconv names it. */
enum mistake { MISTAKE_NONE, MISTAKE_SYNTAX, MISTAKE_RANGE };

static const char *const mistake_texts[] = {
    [MISTAKE_SYNTAX] = "invalid syntax", [MISTAKE_RANGE] = "value out of range"};

static enum mistake parse_bool(struct str text, bool *out)
{
    static const char *const words[2][6] = {{"0", "f", "F", "false", "FALSE", "False"},
                                            {"1", "t", "T", "true", "TRUE", "True"}};

    for (size_t i = 0; i < 12; i++) {
        if (str_equal(text, str_of(words[i / 6][i % 6]))) {
            *out = i >= 6;
            return MISTAKE_NONE;
        }
    }
    return MISTAKE_SYNTAX;
}

/* The first mistake counts: what does not fit any more is not looked at further. */
static enum mistake parse_uint(struct str digits, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (digits.n == 0) {
        return MISTAKE_SYNTAX;
    }
    for (size_t i = 0; i < digits.n; i++) {
        unsigned digit = (unsigned char)digits.p[i] - (unsigned)'0';

        if (digit > 9) {
            return MISTAKE_SYNTAX;
        }
        if (v > (UINT64_MAX - digit) / 10) {
            return MISTAKE_RANGE;
        }
        v = v * 10 + digit;
    }
    *out = v;
    return v <= max ? MISTAKE_NONE : MISTAKE_RANGE;
}

static enum mistake parse_int(struct str text, int64_t *out)
{
    bool is_negative = text.p[0] == '-';
    bool is_signed = is_negative || text.p[0] == '+';
    struct str digits = {.p = text.p + is_signed, .n = text.n - is_signed};
    uint64_t v = 0;
    enum mistake m = parse_uint(digits, (uint64_t)INT64_MAX + is_negative, &v);

    *out = (int64_t)(is_negative ? 0 - v : v);
    return m;
}

/* What a value should have been: "boolean", and who says that it is not. */
static bool refuse(struct query *q, const struct doc_option *o, struct str text, enum mistake m)
{
    static const struct {
        const char *kind, *function;
    } names[] = {
        [DOC_OPTION_BOOL] = {"boolean", "ParseBool"},
        [DOC_OPTION_DETAIL] = {"boolean", "ParseBool"},
        [DOC_OPTION_INT] = {"int", "Atoi"},
        [DOC_OPTION_UINT] = {"uint64", "ParseUint"},
    };
    struct buf quoted = {0};

    quote_go(&quoted, text);
    q->status = 400;
    buf_printf(&q->error, "Error decoding %s for '%s': strconv.%s: parsing %.*s: %s",
               names[o->kind].kind, o->http, names[o->kind].function, STR_ARG(buf_str(&quoted)),
               mistake_texts[m]);
    buf_deinit(&quoted);
    return false;
}

static bool set_state(struct query *q, struct str text, enum doc_state *out)
{
    static const struct {
        const char *name;
        enum doc_state state;
    } states[] = {{"open", DOC_STATE_OPEN},
                  {"closed", DOC_STATE_CLOSED},
                  {"any", DOC_STATE_ALL},
                  {"all", DOC_STATE_ALL}};

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        if (str_equal_nocase(text, str_of(states[i].name))) {
            *out = states[i].state;
            return true;
        }
    }
    q->status = 400;
    buf_printf(&q->error, "Error decoding state for %.*s", STR_ARG(text));
    return false;
}

static enum mistake parse_detail(struct str text, enum doc_detail *out)
{
    bool is_on = false;
    enum mistake m = MISTAKE_NONE;

    if (str_equal_nocase(text, STR("detail"))) {
        *out = DOC_DETAIL_ALL;
    } else {
        m = parse_bool(text, &is_on);
        *out = is_on ? DOC_DETAIL_NAMES : DOC_DETAIL_NONE;
    }
    return m;
}

/* @param text  not empty; lives as long as the query */
static bool set_from_text(struct query *q, const struct doc_option *o, struct str text)
{
    void *field = field_of(q, o);
    enum mistake m = MISTAKE_NONE;

    switch (o->kind) {
    case DOC_OPTION_BOOL:
        m = parse_bool(text, field);
        break;
    case DOC_OPTION_INT:
        m = parse_int(text, field);
        break;
    case DOC_OPTION_UINT:
        m = parse_uint(text, UINT64_MAX, field);
        break;
    case DOC_OPTION_STR:
        *(struct str *)field = text;
        break;
    case DOC_OPTION_DETAIL:
        m = parse_detail(text, field);
        break;
    case DOC_OPTION_STATE:
        return set_state(q, text, field);
    }
    return m == MISTAKE_NONE || refuse(q, o, text, m);
}

/* @return  the number of the option; n_options: there is none */
static size_t find_http(const struct doc *doc, struct str name)
{
    size_t i = 0;

    while (i < doc->n_options &&
           !(doc->options[i].http && str_equal(name, str_of(doc->options[i].http)))) {
        i++;
    }
    return i;
}

bool doc_options_from_query_string(struct query *q, struct str text)
{
    const struct doc *doc = q->doc;
    struct buf name = {0};
    struct buf value = {0};
    struct str *values = arena_alloc(&q->arena, (doc->n_options + 1) * sizeof(values[0]));

    while (query_string_next(&text, &name, &value)) {
        size_t i = find_http(doc, buf_str(&name));

        if (i < doc->n_options && !values[i].p) {
            values[i] = arena_str(&q->arena, buf_str(&value));
        }
    }
    buf_deinit(&name);
    buf_deinit(&value);
    for (size_t i = 0; i < doc->n_options; i++) { // of several mistakes the first option's is told
        if (values[i].n && !set_from_text(q, &doc->options[i], values[i])) {
            return false;
        }
    }
    return true;
}

/* ---- request objects ---- */

static bool read_str(struct query *q, struct json_reader *r, struct str *out)
{
    struct buf text = {0};
    bool is_ok = json_read_str(r, &text);

    if (is_ok) {
        *out = arena_str(&q->arena, buf_str(&text));
    }
    buf_deinit(&text);
    return is_ok;
}

static bool read_detail(struct json_reader *r, enum doc_detail most, enum doc_detail *out)
{
    bool is_on = false;

    if (!json_read_bool(r, &is_on)) {
        return false;
    }
    if (is_on && most > *out) {
        *out = most;
    }
    return true;
}

/* Numbers beyond those that mean something mean nothing: all are told of. */
static bool read_state(struct json_reader *r, enum doc_state *out)
{
    int64_t n = 0;

    if (!json_read_int(r, &n)) {
        return false;
    }
    *out = n >= DOC_STATE_OPEN && n < DOC_STATE_ALL ? (enum doc_state)n : DOC_STATE_ALL;
    return true;
}

static bool set_from_json(struct query *q, const struct doc_option *o, struct json_reader *r)
{
    void *field = field_of(q, o);

    switch (o->kind) {
    case DOC_OPTION_BOOL:
        return json_read_bool(r, field);
    case DOC_OPTION_INT:
        return json_read_int(r, field);
    case DOC_OPTION_UINT:
        return json_read_uint(r, field);
    case DOC_OPTION_STR:
        return read_str(q, r, field);
    case DOC_OPTION_DETAIL:
        return read_detail(r, o->detail, field);
    case DOC_OPTION_STATE:
        return read_state(r, field);
    }
    UNREACHABLE();
}

static const struct doc_option *find_json(const struct doc *doc, const struct json_reader *r)
{
    for (size_t i = 0; i < doc->n_options; i++) {
        if (doc->options[i].json && json_read_is_key(r, str_of(doc->options[i].json))) {
            return &doc->options[i];
        }
    }
    return NULL;
}

static bool read_members(struct query *q, struct json_reader *r)
{
    while (json_read_member(r)) {
        const struct doc_option *o = find_json(q->doc, r);

        if (!o || r->token == JSON_NULL) {
            json_read_skip(r);
        } else if (!set_from_json(q, o, r)) {
            r->field = o->json;
        }
    }
    return json_read_end(r);
}

bool doc_options_from_json(struct query *q, struct str text)
{
    struct json_reader r;

    if (text.n == 0) {
        return true;
    }
    json_read_init(&r, text);
    if (read_members(q, &r)) {
        return true;
    }
    q->status = 400;
    json_read_error(&r, &q->error);
    return false;
}
