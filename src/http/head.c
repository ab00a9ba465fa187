/* SPDX-License-Identifier: Apache-2.0 */
/* As strict as Go's server, but for one thing: a field that goes on in the next line is refused, as
 * RFC 9112 §5.2 wants it. Lines may end in LF alone. */
#include "http/head.h"

#include <string.h>

#define BAD_REQUEST "400 Bad Request"
#define TOO_LARGE "431 Request Header Fields Too Large"

/* ---- characters */

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* What methods and names of fields are made of. */
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_alphanumeric(s.p[i]) && !is_one_of(s.p[i], "!#$%&'*+-.^_`|~")) {
            return false;
        }
    }
    return s.n > 0;
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

static bool is_host(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_alphanumeric(s.p[i]) && !is_one_of(s.p[i], "!$%&'()*+,-.:;=[]_~")) {
            return false;
        }
    }
    return true;
}

static struct str trim(struct str s)
{
    while (s.n && is_one_of(s.p[0], " \t")) {
        s = (struct str){.p = s.p + 1, .n = s.n - 1};
    }
    while (s.n && is_one_of(s.p[s.n - 1], " \t")) {
        s.n--;
    }
    return s;
}

/* @return  what is before the byte, which is cut off together with it; all, if it is not there */
static struct str cut(struct str *rest, char end)
{
    const char *at = rest->n ? memchr(rest->p, end, rest->n) : NULL;
    struct str head = {.p = rest->p, .n = at ? (size_t)(at - rest->p) : rest->n};
    size_t n = head.n + (at != NULL);

    if (n) {
        *rest = (struct str){.p = rest->p + n, .n = rest->n - n};
    }
    return head;
}

/* @return  the next line, without its end */
static struct str cut_line(struct str *rest)
{
    struct str line = cut(rest, '\n');

    line.n -= line.n && line.p[line.n - 1] == '\r';
    return line;
}

/* ---- where the head ends */

/* @return  the length up to the end of the empty line; 0: it has not come */
static size_t find_end(struct str in, size_t *seen)
{
    const char *end = in.p + in.n;

    for (const char *at = in.p + *seen; at < end; at++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at) {
            break;
        }
        size_t n = (size_t)(at - in.p); // of the line and those before it, but for the LF
        bool has_cr = n && in.p[n - 1] == '\r';

        if (n == has_cr || in.p[n - has_cr - 1] == '\n') {
            return n + 1;
        }
    }
    *seen = in.n;
    return 0;
}

/* ---- fields */

bool http_field_next(struct str *rest, struct http_field *out)
{
    struct str line = cut_line(rest);
    size_t n_line = line.n;
    struct str name = cut(&line, ':');

    *out = (struct http_field){.name = name, .value = trim(line)};
    return name.n < n_line;
}

bool http_head_find(const struct http_head *head, struct str name, struct str *value)
{
    struct str rest = head->fields;
    struct http_field f;

    while (http_field_next(&rest, &f)) {
        if (str_equal_nocase(f.name, name)) {
            *value = f.value;
            return true;
        }
    }
    return false;
}

bool http_value_has(struct str value, struct str word)
{
    while (value.n) {
        if (str_equal_nocase(trim(cut(&value, ',')), word)) {
            return true;
        }
    }
    return false;
}

/* What the fields that concern us have said so far. */
struct reading {
    struct http_head *head;
    bool has_host, has_length, has_close, has_keep_alive;
};

static const char *read_length(struct reading *r, struct str value)
{
    uint64_t n = 0;

    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9' || n > UINT64_MAX / 10 - 1) {
            return BAD_REQUEST;
        }
        n = n * 10 + (uint64_t)(value.p[i] - '0');
    }
    if (value.n == 0 || (r->has_length && n != r->head->body_bytes)) {
        return BAD_REQUEST;
    }
    r->has_length = true;
    r->head->body_bytes = n;
    return NULL;
}

static const char *read_host(struct reading *r, struct str value)
{
    if (r->has_host) {
        return BAD_REQUEST;
    }
    r->has_host = true;
    return is_host(value) ? NULL : BAD_REQUEST ": malformed Host header";
}

static const char *read_coding(struct reading *r, struct str value)
{
    if (r->head->is_chunked || !str_equal_nocase(value, STR("chunked"))) {
        return "501 Not Implemented: unsupported transfer encoding";
    }
    r->head->is_chunked = true;
    return NULL;
}

static const char *read_field(struct reading *r, const struct http_field *f)
{
    if (str_equal_nocase(f->name, STR("Host"))) {
        return read_host(r, f->value);
    }
    if (str_equal_nocase(f->name, STR("Content-Length"))) {
        return read_length(r, f->value);
    }
    if (str_equal_nocase(f->name, STR("Transfer-Encoding"))) {
        return read_coding(r, f->value);
    }
    if (str_equal_nocase(f->name, STR("Connection"))) {
        r->has_close = r->has_close || http_value_has(f->value, STR("close"));
        r->has_keep_alive = r->has_keep_alive || http_value_has(f->value, STR("keep-alive"));
    } else if (str_equal_nocase(f->name, STR("Expect"))) {
        r->head->expects = true;
    }
    return NULL;
}

static const char *check_field(const struct http_field *f)
{
    if (!is_token(f->name)) {
        return is_one_of(f->name.n ? f->name.p[0] : ' ', " \t") ? BAD_REQUEST
                                                                : BAD_REQUEST
                   ": invalid header name";
    }
    for (size_t i = 0; i < f->value.n; i++) {
        if (is_control(f->value.p[i]) && f->value.p[i] != '\t') {
            return BAD_REQUEST;
        }
    }
    return NULL;
}

/* @return  what is wrong; NULL: nothing */
static const char *read_fields(struct http_head *head)
{
    struct reading r = {.head = head};
    struct str rest = head->fields;
    struct http_field f;

    for (size_t n = 0; rest.n; n++) {
        if (n == HTTP_FIELDS_MAX) {
            return TOO_LARGE;
        }
        const char *why = http_field_next(&rest, &f) ? check_field(&f) : BAD_REQUEST;

        why = why ? why : read_field(&r, &f);
        if (why) {
            return why;
        }
    }
    if (!r.has_host && !head->is_1_0) {
        return BAD_REQUEST ": missing required Host header";
    }
    head->keeps_alive = head->is_1_0 ? r.has_keep_alive && !r.has_close : !r.has_close;
    return NULL;
}

/* ---- the request line */

static bool is_target(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (is_control(s.p[i]) || s.p[i] == ' ') {
            return false;
        }
    }
    return s.n > 0;
}

static const char *read_version(struct str version, struct http_head *head)
{
    static const struct str name = STR_INIT("HTTP/");

    if (!str_starts_with(version, name) || version.n != name.n + 3) {
        return BAD_REQUEST;
    }
    char major = version.p[name.n];
    char minor = version.p[name.n + 2];
    if (major < '0' || major > '9' || version.p[name.n + 1] != '.' || minor < '0' || minor > '9') {
        return BAD_REQUEST;
    }
    head->is_1_0 = minor == '0';
    if (str_equal(head->method, STR("PRI"))) { // that is how HTTP/2 begins
        return BAD_REQUEST;
    }
    return major == '1' ? NULL : "505 HTTP Version Not Supported: unsupported protocol version";
}

static const char *read_request_line(struct str line, struct http_head *head)
{
    head->method = cut(&line, ' ');
    head->target = cut(&line, ' ');
    return is_token(head->method) && is_target(head->target) ? read_version(line, head)
                                                             : BAD_REQUEST;
}

/* ---- all of it */

static enum http_head_result refuse(struct http_head *out, const char *why)
{
    *out = (struct http_head){.refusal = why};
    return HTTP_HEAD_BAD;
}

enum http_head_result http_head_parse(struct str in, size_t *seen, struct http_head *out)
{
    size_t n = find_end(in, seen);

    if (n > HTTP_HEAD_MAX || (n == 0 && in.n > HTTP_HEAD_MAX)) {
        return refuse(out, TOO_LARGE);
    }
    if (n == 0) {
        return HTTP_HEAD_MORE;
    }
    *out = (struct http_head){.n = n};
    struct str rest = {.p = in.p, .n = n};
    const char *why = read_request_line(cut_line(&rest), out);

    if (!why) {
        rest.n -= rest.n >= 2 && rest.p[rest.n - 2] == '\r' ? 2 : 1; // the empty line
        out->fields = rest;
        why = read_fields(out);
    }
    return why ? refuse(out, why) : HTTP_HEAD_OK;
}
