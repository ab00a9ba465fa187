/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON reader. The token under the cursor, the depth, and a bit for each open container say
 * what may come next; there is no other state. */
#include "base/json_read.h"

#include "base/json_number.h"
#include "base/json_string.h"

static enum json_token fail(struct json_reader *r, const char *error)
{
    if (r->token != JSON_BAD) {
        r->token = JSON_BAD;
        r->error = error;
    }
    return JSON_BAD;
}

static bool is_next(const struct json_reader *r, char c)
{
    return r->at < r->text.n && r->text.p[r->at] == c;
}

static bool take(struct json_reader *r, char c)
{
    if (!is_next(r, c)) {
        return false;
    }
    r->at++;
    return true;
}

static struct str rest_of(const struct json_reader *r)
{
    return (struct str){.p = r->text.p + r->at, .n = r->text.n - r->at};
}

static void skip_white(struct json_reader *r)
{
    while (is_next(r, ' ') || is_next(r, '\t') || is_next(r, '\r') || is_next(r, '\n')) {
        r->at++;
    }
}

/* ---- tokens ---- */

static bool is_in_object(const struct json_reader *r)
{
    return r->objects[r->depth / 64] >> r->depth % 64 & 1;
}

static enum json_token read_open(struct json_reader *r, enum json_token token)
{
    if (r->depth == JSON_READ_MAX_DEPTH) {
        return fail(r, "nested too deeply");
    }
    r->depth++;
    uint64_t bit = UINT64_C(1) << r->depth % 64;
    uint64_t *word = &r->objects[r->depth / 64];
    *word = token == JSON_OPEN_OBJECT ? *word | bit : *word & ~bit;
    return token;
}

static enum json_token read_close(struct json_reader *r, enum json_token token)
{
    r->depth--;
    return token;
}

static enum json_token read_string(struct json_reader *r, enum json_token token)
{
    size_t n;

    if (!take(r, '"')) {
        return fail(r, "a string is missing");
    }
    struct str rest = rest_of(r);
    const char *error = json_string_scan(rest, &n);
    r->at += n;
    if (error) {
        return fail(r, error);
    }
    r->at++; // the closing quote
    r->raw = (struct str){.p = rest.p, .n = n};
    return token;
}

static enum json_token read_number(struct json_reader *r)
{
    r->raw = rest_of(r);
    r->raw.n = json_number_scan(r->raw);
    r->at += r->raw.n;
    return r->raw.n ? JSON_NUMBER : fail(r, "not a value");
}

static enum json_token read_word(struct json_reader *r, struct str word, enum json_token token)
{
    if (!str_starts_with(rest_of(r), word)) {
        return fail(r, "not a value");
    }
    r->at += word.n;
    return token;
}

static enum json_token read_value(struct json_reader *r)
{
    skip_white(r);
    if (r->at == r->text.n) {
        return fail(r, "the text ends where a value is due");
    }
    r->is_new = true;
    switch (r->text.p[r->at]) {
    case '{':
        r->at++;
        return read_open(r, JSON_OPEN_OBJECT);
    case '[':
        r->at++;
        return read_open(r, JSON_OPEN_ARRAY);
    case '"':
        return read_string(r, JSON_STRING);
    case 't':
        return read_word(r, STR("true"), JSON_TRUE);
    case 'f':
        return read_word(r, STR("false"), JSON_FALSE);
    case 'n':
        return read_word(r, STR("null"), JSON_NULL);
    default:
        return read_number(r);
    }
}

/* What follows a value. */
static enum json_token read_separator(struct json_reader *r)
{
    if (r->depth == 0) {
        return r->at == r->text.n ? JSON_END : fail(r, "text after the value");
    }
    if (is_in_object(r)) {
        if (take(r, '}')) {
            return read_close(r, JSON_CLOSE_OBJECT);
        }
        if (!take(r, ',')) {
            return fail(r, "neither \",\" nor \"}\" after a member");
        }
        skip_white(r);
        return read_string(r, JSON_KEY);
    }
    if (take(r, ']')) {
        return read_close(r, JSON_CLOSE_ARRAY);
    }
    return take(r, ',') ? read_value(r) : fail(r, "neither \",\" nor \"]\" after a value");
}

enum json_token json_read_next(struct json_reader *r)
{
    if (r->token == JSON_BAD || r->token == JSON_END) {
        return r->token;
    }
    r->is_new = false;
    skip_white(r);
    switch (r->token) {
    case JSON_START:
        r->token = read_value(r);
        break;
    case JSON_KEY:
        r->token = take(r, ':') ? read_value(r) : fail(r, "no \":\" after a key");
        break;
    case JSON_OPEN_OBJECT:
        r->token = take(r, '}') ? read_close(r, JSON_CLOSE_OBJECT) : read_string(r, JSON_KEY);
        break;
    case JSON_OPEN_ARRAY:
        r->token = take(r, ']') ? read_close(r, JSON_CLOSE_ARRAY) : read_value(r);
        break;
    default:
        r->token = read_separator(r);
        break;
    }
    return r->token;
}

/* ---- values ---- */

void json_read_init(struct json_reader *r, struct str text)
{
    *r = (struct json_reader){.text = text};
}

void json_read_refuse(struct json_reader *r, const char *error)
{
    (void)fail(r, error);
}

/* To the first value, if nothing was read yet. */
static void start(struct json_reader *r)
{
    if (r->token == JSON_START) {
        (void)json_read_next(r);
    }
}

/* Deals with a scalar. False: it is null, or neither of a and b, which is an error. */
static bool take_scalar(struct json_reader *r, enum json_token a, enum json_token b,
                        const char *error)
{
    start(r);
    r->is_new = false;
    if (r->token != a && r->token != b && r->token != JSON_NULL) {
        (void)fail(r, error);
    }
    return r->token == a || r->token == b;
}

bool json_read_str(struct json_reader *r, struct buf *out)
{
    if (take_scalar(r, JSON_STRING, JSON_STRING, "not a string") && out) {
        json_string_unescape(r->raw, out);
    }
    return r->token != JSON_BAD;
}

bool json_read_bool(struct json_reader *r, bool *out)
{
    if (take_scalar(r, JSON_TRUE, JSON_FALSE, "not true or false")) {
        *out = r->token == JSON_TRUE;
    }
    return r->token != JSON_BAD;
}

bool json_read_int(struct json_reader *r, int64_t *out)
{
    if (take_scalar(r, JSON_NUMBER, JSON_NUMBER, "not a number") &&
        !json_number_parse_int(r->raw, out)) {
        (void)fail(r, "not a 64-bit integer");
    }
    return r->token != JSON_BAD;
}

bool json_read_uint(struct json_reader *r, uint64_t *out)
{
    if (take_scalar(r, JSON_NUMBER, JSON_NUMBER, "not a number") &&
        !json_number_parse_uint(r->raw, out)) {
        (void)fail(r, "not an unsigned 64-bit integer");
    }
    return r->token != JSON_BAD;
}

/* ---- containers ---- */

/* Into the container under the cursor, or on to what follows the value dealt with last. */
static bool step_in(struct json_reader *r, enum json_token open, const char *error)
{
    start(r);
    if (r->is_new && r->token != open) {
        r->is_new = false;
        if (r->token != JSON_NULL) {
            (void)fail(r, error);
        }
        return false;
    }
    (void)json_read_next(r);
    return r->token != JSON_CLOSE_OBJECT && r->token != JSON_CLOSE_ARRAY && r->token != JSON_BAD;
}

bool json_read_member(struct json_reader *r)
{
    if (!step_in(r, JSON_OPEN_OBJECT, "not an object")) {
        return false;
    }
    if (r->token != JSON_KEY) {
        return fail(r, "not a member; the value before was not read to its end") != JSON_BAD;
    }
    r->key = r->raw;
    return json_read_next(r) != JSON_BAD;
}

bool json_read_element(struct json_reader *r)
{
    return step_in(r, JSON_OPEN_ARRAY, "not an array");
}

void json_read_skip(struct json_reader *r)
{
    start(r);
    r->is_new = false;
    if (r->token == JSON_OPEN_OBJECT || r->token == JSON_OPEN_ARRAY) {
        uint32_t outside = r->depth - 1;

        while (r->token != JSON_BAD && r->depth > outside) {
            (void)json_read_next(r);
        }
        r->is_new = false;
    }
}

bool json_read_end(struct json_reader *r)
{
    if (r->is_new || r->token == JSON_START) {
        json_read_skip(r);
    }
    return json_read_next(r) == JSON_END || fail(r, "text after the value") != JSON_BAD;
}

bool json_read_is_key(const struct json_reader *r, struct str name)
{
    return json_string_is_name(r->key, name);
}

void json_read_key(const struct json_reader *r, struct buf *out)
{
    json_string_unescape(r->key, out);
}

void json_read_error(const struct json_reader *r, struct buf *out)
{
    buf_printf(out, "JSON, byte %zu", r->at);
    if (r->field) {
        buf_printf(out, " (%s)", r->field);
    }
    buf_printf(out, ": %s", r->error);
}
