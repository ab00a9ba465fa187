/* SPDX-License-Identifier: Apache-2.0 */
/* The form is that of Go's %q: C escapes, \xNN for a byte that is not UTF-8 or is a control
 * character of ASCII, \uNNNN or \UNNNNNNNN for a character that is valid but not printable. */
#include "base/quote.h"

#include <stdbool.h>

#include "base/unicode_print.h"
#include "base/utf8.h"

/* For characters beyond ASCII: is the number of edges up to it odd? */
static bool is_printable(uint32_t c)
{
    size_t low = 0;
    size_t high = ARRAY_SIZE(unicode_print_edges);

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (unicode_print_edges[middle] <= c) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low % 2 == 1;
}

static void quote_ascii(struct buf *out, char c)
{
    static const char names[] = "abtnvfr"; // 7 … 13

    if (c >= 7 && c <= 13) {
        buf_add_char(out, '\\');
        buf_add_char(out, names[c - 7]);
    } else if (c < 0x20 || c == 0x7f) {
        buf_printf(out, "\\x%02x", (unsigned)c);
    } else {
        if (c == '"' || c == '\\') {
            buf_add_char(out, '\\');
        }
        buf_add_char(out, c);
    }
}

void quote_go(struct buf *out, struct str s)
{
    buf_add_char(out, '"');
    while (s.n) {
        uint32_t c;
        size_t n = utf8_decode(s, &c);

        if (n == 0) {
            buf_printf(out, "\\x%02x", (unsigned char)s.p[0]);
            n = 1;
        } else if (n == 1) {
            quote_ascii(out, s.p[0]);
        } else if (is_printable(c)) {
            buf_add(out, (struct str){.p = s.p, .n = n});
        } else {
            buf_printf(out, c > 0xffff ? "\\U%08x" : "\\u%04x", c);
        }
        s = (struct str){.p = s.p + n, .n = s.n - n};
    }
    buf_add_char(out, '"');
}
