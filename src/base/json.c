/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer. The escapes are those of Go's encoding/json, HTML-safe, because the documents of
 * nats-server have them and they are compared byte by byte. */
#include "base/json.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/str.h"
#include "base/utf8.h"

static void begin_value(struct json *j)
{
    if (j->needs_comma) {
        buf_add_char(j->out, ',');
    }
    j->needs_comma = true;
}

static void open_bracket(struct json *j, char bracket)
{
    begin_value(j);
    buf_add_char(j->out, bracket);
    j->needs_comma = false;
}

static void close_bracket(struct json *j, char bracket)
{
    buf_add_char(j->out, bracket);
    j->needs_comma = true;
}

void json_open_object(struct json *j)
{
    open_bracket(j, '{');
}

void json_close_object(struct json *j)
{
    close_bracket(j, '}');
}

void json_open_array(struct json *j)
{
    open_bracket(j, '[');
}

void json_close_array(struct json *j)
{
    close_bracket(j, ']');
}

/* The escape of a character, NULL when it stands for itself. */
static const char *find_escape(uint32_t c, char scratch[8])
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    case 0x2028: // line ends for JavaScript
        return "\\u2028";
    case 0x2029:
        return "\\u2029";
    default:
        break;
    }
    if (c < 0x20 || c == '<' || c == '>' || c == '&') {
        snprintf(scratch, 8, "\\u%04x", (unsigned)c);
        return scratch;
    }
    return NULL;
}

/* How many bytes at the start of s surely stand for themselves. */
static size_t count_plain(struct str s)
{
    size_t n = 0;

    while (n < s.n && s.p[n] >= ' ' && s.p[n] < 0x7f && s.p[n] != '"' && s.p[n] != '\\' &&
           s.p[n] != '<' && s.p[n] != '>' && s.p[n] != '&') {
        n++;
    }
    return n;
}

/* Writes one character, escaped where it has to be. Returns how many bytes of s it is. */
static size_t add_char(struct buf *out, struct str s)
{
    char scratch[8];
    uint32_t c;
    size_t n = utf8_decode(s, &c);
    const char *escape = n ? find_escape(c, scratch) : "\\ufffd";

    n = n ? n : 1;
    buf_add(out, escape ? str_of(escape) : (struct str){.p = s.p, .n = n});
    return n;
}

static void add_quoted(struct buf *out, struct str s)
{
    buf_add_char(out, '"');
    while (s.n) {
        size_t n = count_plain(s);

        if (n) {
            buf_add(out, (struct str){.p = s.p, .n = n});
        } else {
            n = add_char(out, s);
        }
        s = (struct str){.p = s.p + n, .n = s.n - n};
    }
    buf_add_char(out, '"');
}

void json_key(struct json *j, const char *key)
{
    begin_value(j);
    add_quoted(j->out, str_of(key));
    buf_add_char(j->out, ':');
    j->needs_comma = false;
}

void json_str(struct json *j, struct str value)
{
    begin_value(j);
    add_quoted(j->out, value);
}

static void add_digits(struct buf *out, uint64_t value)
{
    char *at = buf_reserve(out, DECIMAL_MAX);

    out->n += (size_t)(decimal_write(at, value) - at);
}

void json_int(struct json *j, int64_t value)
{
    begin_value(j);
    if (value < 0) {
        buf_add_char(j->out, '-');
    }
    add_digits(j->out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_uint(struct json *j, uint64_t value)
{
    begin_value(j);
    add_digits(j->out, value);
}

void json_real(struct json *j, double value)
{
    char text[32];

    for (int digits = 15; digits <= 17; digits++) { // 17 always do
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    json_raw(j, str_of(text));
}

void json_bool(struct json *j, bool value)
{
    json_raw(j, value ? STR("true") : STR("false"));
}

void json_raw(struct json *j, struct str json)
{
    begin_value(j);
    buf_add(j->out, json);
}

void json_add_str(struct json *j, const char *key, struct str value)
{
    json_key(j, key);
    json_str(j, value);
}

void json_add_int(struct json *j, const char *key, int64_t value)
{
    json_key(j, key);
    json_int(j, value);
}

void json_add_uint(struct json *j, const char *key, uint64_t value)
{
    json_key(j, key);
    json_uint(j, value);
}

void json_add_real(struct json *j, const char *key, double value)
{
    json_key(j, key);
    json_real(j, value);
}

void json_add_bool(struct json *j, const char *key, bool value)
{
    json_key(j, key);
    json_bool(j, value);
}

void json_add_time(struct json *j, const char *key, int64_t wall_ns)
{
    char text[CLOCK_RFC3339_MAX];
    size_t n = clock_format_rfc3339(wall_ns, text);

    json_add_str(j, key, (struct str){.p = text, .n = n});
}

void json_opt_str(struct json *j, const char *key, struct str value)
{
    if (value.n) {
        json_add_str(j, key, value);
    }
}

void json_opt_int(struct json *j, const char *key, int64_t value)
{
    if (value) {
        json_add_int(j, key, value);
    }
}

void json_opt_uint(struct json *j, const char *key, uint64_t value)
{
    if (value) {
        json_add_uint(j, key, value);
    }
}

void json_opt_bool(struct json *j, const char *key, bool value)
{
    if (value) {
        json_add_bool(j, key, value);
    }
}

void json_opt_raw(struct json *j, const char *key, struct str json)
{
    if (json.n) {
        json_key(j, key);
        json_raw(j, json);
    }
}
