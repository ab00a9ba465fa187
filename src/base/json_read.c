/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON reader. The token under the cursor, the depth, and a bit for each open container say what
 * may come next; there is no other state. */
#include "base/json_read.h"

#include "base/mem.h"
#include "base/utf8.h"

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

static void skip_white(struct json_reader *r)
{
    while (is_next(r, ' ') || is_next(r, '\t') || is_next(r, '\r') || is_next(r, '\n')) {
        r->at++;
    }
}

/* ---- tokens ---- */

static bool is_in_object(const struct json_reader *r)
{
    return r->depth && (r->objects[r->depth / 64] >> r->depth % 64 & 1);
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

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The byte after a backslash, and the digits of \u. */
static bool check_escape(struct json_reader *r)
{
    if (take(r, 'u')) {
        for (unsigned i = 0; i < 4; i++, r->at++) {
            if (r->at == r->text.n || hex_digit(r->text.p[r->at]) < 0) {
                return false;
            }
        }
        return true;
    }
    if (r->at == r->text.n || r->text.p[r->at] == '\0' || !strchr("\"\\/bfnrt", r->text.p[r->at])) {
        return false;
    }
    r->at++;
    return true;
}

static enum json_token read_string(struct json_reader *r, enum json_token token)
{
    if (!take(r, '"')) {
        return fail(r, "a string is missing");
    }
    size_t start = r->at;
    while (!take(r, '"')) {
        if (r->at == r->text.n) {
            return fail(r, "the text ends inside a string");
        }
        if ((unsigned char)r->text.p[r->at] < 0x20) {
            return fail(r, "a control character in a string");
        }
        if (r->text.p[r->at++] == '\\' && !check_escape(r)) {
            return fail(r, "a bad escape in a string");
        }
    }
    r->raw = (struct str){.p = r->text.p + start, .n = r->at - start - 1};
    return token;
}

static bool take_digits(struct json_reader *r)
{
    size_t start = r->at;

    while (r->at < r->text.n && r->text.p[r->at] >= '0' && r->text.p[r->at] <= '9') {
        r->at++;
    }
    return r->at > start;
}

static enum json_token read_number(struct json_reader *r)
{
    size_t start = r->at;

    (void)take(r, '-');
    bool is_good = take(r, '0') || take_digits(r);
    if (is_good && take(r, '.')) {
        is_good = take_digits(r);
    }
    if (is_good && (take(r, 'e') || take(r, 'E'))) {
        (void)(take(r, '+') || take(r, '-'));
        is_good = take_digits(r);
    }
    r->raw = (struct str){.p = r->text.p + start, .n = r->at - start};
    return is_good ? JSON_NUMBER : fail(r, "a bad number");
}

static enum json_token read_word(struct json_reader *r, struct str word, enum json_token token)
{
    struct str rest = {.p = r->text.p + r->at, .n = r->text.n - r->at};

    if (!str_starts_with(rest, word)) {
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
