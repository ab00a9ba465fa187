/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for headers, and setting them, line by line. */
#include "proto/header.h"

#include "base/copy.h"

#define FIRST_LINE "NATS/1.0\r\n"

/* Takes a line off the front, without its CR LF. False: there is no whole line. */
static bool take_line(struct str *rest, struct str *line)
{
    const char *end = memmem(rest->p, rest->n, "\r\n", 2);

    if (!end) {
        return false;
    }
    *line = (struct str){.p = rest->p, .n = (size_t)(end - rest->p)};
    *rest = (struct str){.p = end + 2, .n = rest->n - line->n - 2};
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct str trim(struct str s)
{
    while (s.n && is_blank(s.p[0])) {
        s = (struct str){.p = s.p + 1, .n = s.n - 1};
    }
    while (s.n && is_blank(s.p[s.n - 1])) {
        s.n--;
    }
    return s;
}

/* Does any line begin so? */
static bool has_line(struct str hdr, struct str prefix)
{
    const char *lf;

    while ((lf = hdr.n ? memchr(hdr.p, '\n', hdr.n) : NULL) != NULL) {
        size_t n = (size_t)(lf + 1 - hdr.p);

        hdr = (struct str){.p = lf + 1, .n = hdr.n - n};
        if (hdr.n > prefix.n && bytes_equal(hdr.p, prefix.p, prefix.n)) {
            return true;
        }
    }
    return false;
}

struct str header_find(struct str hdr, struct str name)
{
    struct str rest = hdr;
    struct str line;

    if (!has_line(hdr, name)) { // nearly always
        return (struct str){0};
    }
    if (!str_starts_with(hdr, STR(FIRST_LINE)) || !take_line(&rest, &line)) {
        return (struct str){0};
    }
    while (take_line(&rest, &line) && line.n) {
        const char *colon = memchr(line.p, ':', line.n);

        if (!colon) {
            break;
        }
        struct str found = {.p = line.p, .n = (size_t)(colon - line.p)};
        if (str_equal(found, name)) {
            return trim((struct str){.p = colon + 1, .n = line.n - found.n - 1});
        }
    }
    return (struct str){0};
}

/* Takes a line off the front, with the LF that ends it; the last one may have none. */
static struct str cut_line(struct str *rest)
{
    const char *lf = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    struct str line = *rest;

    if (lf) {
        line.n = (size_t)(lf + 1 - line.p);
        *rest = (struct str){.p = lf + 1, .n = rest->n - line.n};
    } else {
        rest->n = 0;
    }
    return line;
}

static bool is_ended(struct str line)
{
    return line.n && line.p[line.n - 1] == '\n';
}

/* A line without what ends it: CR LF, or either. */
static struct str line_text(struct str line)
{
    line.n -= is_ended(line);
    line.n -= line.n && line.p[line.n - 1] == '\r';
    return line;
}

/* @return  whether a line is a header at all */
static bool split_header(struct str line, struct header *out)
{
    const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;

    if (!colon) {
        return false;
    }
    out->name = (struct str){.p = line.p, .n = (size_t)(colon - line.p)};
    out->value = trim((struct str){.p = colon + 1, .n = line.n - out->name.n - 1});
    return true;
}

static bool is_named(struct str line, struct str name)
{
    struct header h;

    return split_header(line, &h) && str_equal_nocase(trim(h.name), name);
}

static void add_line(struct buf *out, struct str line)
{
    if (is_ended(line)) {
        buf_add(out, line);
    } else {
        buf_add(out, line_text(line));
        buf_add(out, STR("\r\n"));
    }
}

void header_replace(struct str hdr, struct str name, struct str value, struct buf *out)
{
    struct str rest = hdr;
    struct str line = cut_line(&rest);

    buf_reserve(out, hdr.n + name.n + value.n + sizeof(FIRST_LINE "\r\n: \r\n\r\n"));
    if (line_text(line).n) {
        add_line(out, line);
    } else {
        buf_add(out, STR(FIRST_LINE));
        rest.n = 0;
    }
    for (line = cut_line(&rest); line_text(line).n; line = cut_line(&rest)) {
        if (!is_named(line, name)) {
            add_line(out, line);
        }
    }
    buf_add(out, name);
    buf_add(out, STR(": "));
    buf_add(out, value);
    buf_add(out, STR("\r\n\r\n"));
}

struct header_walk header_walk(struct str hdr)
{
    struct header_walk w = {.rest = hdr};

    cut_line(&w.rest);
    return w;
}

/* A character of a name: those of RFC 9110's tokens, and the blank, which Go lets pass. */
static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~ ", c));
}

static bool is_well_formed(const struct header *h)
{
    if (h->name.n == 0 || h->name.p[0] == ' ') {
        return false;
    }
    for (size_t i = 0; i < h->name.n; i++) {
        if (!is_name_char(h->name.p[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < h->value.n; i++) {
        unsigned char c = (unsigned char)h->value.p[i];

        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

bool header_next(struct header_walk *w, struct header *out)
{
    struct str line = cut_line(&w->rest);
    struct str text = line_text(line);

    if (is_ended(line) && text.n == 0) {
        w->rest.n = 0;
        return false;
    }
    w->is_broken = !is_ended(line) || !split_header(text, out) || !is_well_formed(out);
    return !w->is_broken;
}
