/* SPDX-License-Identifier: Apache-2.0 */
/* A broken escape costs its pair, never the request. */
#include "http/query_string.h"

#include <string.h>

/* @return  -1: no hexadecimal digit */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(struct str text, bool plus_is_space, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (c == '%') {
            int high = i + 2 < text.n ? hex_value(text.p[i + 1]) : -1;
            int low = high >= 0 ? hex_value(text.p[i + 2]) : -1;

            if (low < 0) {
                return false;
            }
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        buf_add_char(out, c);
    }
    return true;
}

bool percent_decode(struct str text, struct buf *out)
{
    return decode(text, false, out);
}

/* @return  text up to the byte, which is cut off it together with that byte */
static struct str cut(struct str *text, char end)
{
    const char *at = text->n ? memchr(text->p, end, text->n) : NULL;
    struct str head = {.p = text->p, .n = at ? (size_t)(at - text->p) : text->n};
    size_t n = at ? head.n + 1 : text->n;

    *text = n ? (struct str){.p = text->p + n, .n = text->n - n} : *text;
    return head;
}

bool query_string_next(struct str *rest, struct buf *name, struct buf *value)
{
    while (rest->n) {
        struct str pair = cut(rest, '&');

        if (pair.n == 0 || memchr(pair.p, ';', pair.n)) {
            continue;
        }
        struct str key = cut(&pair, '=');

        name->n = value->n = 0;
        if (decode(key, true, name) && decode(pair, true, value)) {
            return true;
        }
    }
    return false;
}
