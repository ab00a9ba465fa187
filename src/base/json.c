/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer. The escapes are those of Go's encoding/json, HTML-safe, because the documents of
 * nats-server have them and they are compared byte by byte. */
#include "base/json.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/str.h"

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

/* The length of the UTF-8 sequence at p, which has n > 0 bytes; 0 when it is none. */
static size_t sequence_length(const unsigned char *p, size_t n)
{
    unsigned char lead = p[0];
    size_t len = lead < 0x80   ? 1
                 : lead < 0xc2 ? 0
                 : lead < 0xe0 ? 2
                 : lead < 0xf0 ? 3
                 : lead < 0xf5 ? 4
                               : 0;

    if (len > n) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((lead == 0xe0 && p[1] < 0xa0) || (lead == 0xed && p[1] > 0x9f) || // too long; a surrogate
        (lead == 0xf0 && p[1] < 0x90) ||
        (lead == 0xf4 && p[1] > 0x8f)) { // too long; beyond Unicode
        return 0;
    }
    return len;
}

/* The escape for the sequence of len bytes at p, NULL when it stands for itself. */
static const char *find_escape(const unsigned char *p, size_t len, char scratch[8])
{
    if (len == 0) {
        return "\\ufffd";
    }
    if (len == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] & 0xfe) == 0xa8) {
        return p[2] == 0xa8 ? "\\u2028" : "\\u2029"; // line ends for JavaScript
    }
    switch (p[0]) {
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
    default:
        break;
    }
    if (p[0] < 0x20 || p[0] == '<' || p[0] == '>' || p[0] == '&') {
        snprintf(scratch, 8, "\\u%04x", (unsigned)p[0]);
        return scratch;
    }
    return NULL;
}

static void add_quoted(struct buf *out, struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t start = 0; // of the bytes that stand for themselves and are not written yet
    size_t at = 0;

    buf_add_char(out, '"');
    while (at < s.n) {
        char scratch[8];
        size_t len = sequence_length(p + at, s.n - at);
        const char *escape = find_escape(p + at, len, scratch);

        if (escape) {
            buf_add(out, (struct str){.p = s.p + start, .n = at - start});
            buf_add(out, str_of(escape));
            start = at + (len ? len : 1);
        }
        at += len ? len : 1;
    }
    buf_add(out, (struct str){.p = s.p + start, .n = at - start});
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

void json_int(struct json *j, int64_t value)
{
    begin_value(j);
    buf_printf(j->out, "%" PRId64, value);
}

void json_uint(struct json *j, uint64_t value)
{
    begin_value(j);
    buf_printf(j->out, "%" PRIu64, value);
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

void json_add_bool(struct json *j, const char *key, bool value)
{
    json_key(j, key);
    json_bool(j, value);
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
