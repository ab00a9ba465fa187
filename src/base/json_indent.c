/* SPDX-License-Identifier: Apache-2.0 */
/* Only brackets, commas and colons outside of strings matter; all else is copied as it is. */
#include "base/json_indent.h"

static void start_line(const struct json_indent *i, struct buf *out)
{
    size_t n = 1 + (size_t)i->depth * i->width;
    char *at = buf_reserve(out, n);

    memset(at, ' ', n);
    *at = '\n';
    out->n += n;
}

/* An empty container stays in its line. */
static void open_if_not_empty(struct json_indent *i, struct buf *out)
{
    if (i->is_opening) {
        i->is_opening = false;
        i->depth++;
        start_line(i, out);
    }
}

static void close_container(struct json_indent *i, struct buf *out)
{
    if (i->is_opening) {
        i->is_opening = false;
    } else if (i->depth) {
        i->depth--;
        start_line(i, out);
    }
}

static void add_structural(struct json_indent *i, char c, struct buf *out)
{
    if (c == '}' || c == ']') {
        close_container(i, out);
    } else {
        open_if_not_empty(i, out);
    }
    buf_add_char(out, c);
    i->is_opening = c == '{' || c == '[';
    i->is_in_string = c == '"';
    if (c == ',') {
        start_line(i, out);
    } else if (c == ':') {
        buf_add_char(out, ' ');
    }
}

/* @return  how many bytes of text can be copied as they are */
static size_t scan_plain(struct str text)
{
    size_t n = 0;

    while (n < text.n && !memchr("{}[],:\"", text.p[n], 7)) {
        n++;
    }
    return n;
}

/* The same inside of a string, up to its end. */
static size_t scan_string(struct json_indent *i, struct str text)
{
    for (size_t n = 0; n < text.n; n++) {
        if (i->is_escaped) {
            i->is_escaped = false;
        } else if (text.p[n] == '\\') {
            i->is_escaped = true;
        } else if (text.p[n] == '"') {
            i->is_in_string = false;
            return n + 1;
        }
    }
    return text.n;
}

void json_indent_add(struct json_indent *i, struct str text, struct buf *out)
{
    if (i->width == 0) {
        buf_add(out, text);
        return;
    }
    while (text.n) {
        size_t n = i->is_in_string ? scan_string(i, text) : scan_plain(text);

        if (n) {
            open_if_not_empty(i, out);
            buf_add(out, (struct str){.p = text.p, .n = n});
        } else {
            add_structural(i, text.p[0], out);
            n = 1;
        }
        text = (struct str){.p = text.p + n, .n = text.n - n};
    }
}
