/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for headers, line by line. */
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
