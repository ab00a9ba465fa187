/* SPDX-License-Identifier: Apache-2.0 */
/* Paths segment by segment, and byte by byte. */
#include "http/path.h"

#include <stdbool.h>

/* ".." takes back what the segment before has added; above the root there is nothing. */
static void drop_segment(struct buf *out, size_t root)
{
    while (out->n > root) {
        out->n--;
        if (out->p[out->n] == '/') {
            break;
        }
    }
}

void http_path_clean(struct str path, struct buf *out)
{
    size_t root = out->n;

    for (size_t at = 0; at < path.n;) {
        size_t end = at;

        while (end < path.n && path.p[end] != '/') {
            end++;
        }
        struct str segment = {.p = path.p + at, .n = end - at};

        if (str_equal(segment, STR(".."))) {
            drop_segment(out, root);
        } else if (segment.n && !str_equal(segment, STR("."))) {
            buf_add_char(out, '/');
            buf_add(out, segment);
        }
        at = end + 1;
    }
    if (out->n == root || path.p[path.n - 1] == '/') {
        buf_add_char(out, '/');
    }
}

void http_path_escape(struct str path, struct buf *out)
{
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        bool is_plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                        (c && strchr("-._~/", c));

        if (is_plain) {
            buf_add_char(out, c);
        } else {
            buf_printf(out, "%%%02X", (unsigned char)c);
        }
    }
}
