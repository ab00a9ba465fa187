/* SPDX-License-Identifier: Apache-2.0 */
/* The form is that of Go's %q: C escapes, \xNN for a byte that is not UTF-8 or is a control
 * character, \uNNNN for a character that is valid but not printable. */
#include "proto/quote.h"

#include <stdbool.h>

/* Decodes one UTF-8 character (RFC 3629); returns its length, 0 if the bytes are not valid. */
static size_t decode_utf8(struct str s, uint32_t *out)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t n = c < 0x80                ? 1
               : c >= 0xc2 && c < 0xe0 ? 2
               : c >= 0xe0 && c < 0xf0 ? 3
               : c >= 0xf0 && c < 0xf5 ? 4
                                       : 0;

    if (n == 0 || n > s.n) {
        return 0;
    }
    uint32_t v = n == 1 ? c : c & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        unsigned char next = (unsigned char)s.p[i];

        if ((next & 0xc0) != 0x80) {
            return 0;
        }
        v = v << 6 | (next & 0x3fu);
    }
    if ((n == 3 && v < 0x800) || (n == 4 && (v < 0x10000 || v > 0x10ffff)) ||
        (v >= 0xd800 && v < 0xe000)) {
        return 0;
    }
    *out = v;
    return n;
}

/* Beyond ASCII: the ranges without a glyph that matter in practice (controls, spaces other than
 * U+0020, format characters, private use, noncharacters). */
static bool is_printable(uint32_t v)
{
    return !(v < 0xa1 || v == 0xad || (v >= 0x2000 && v <= 0x200f) ||
             (v >= 0x2028 && v <= 0x202f) || (v >= 0x205f && v <= 0x206f) || v == 0x1680 ||
             v == 0x3000 || v == 0xfeff || (v >= 0xe000 && v <= 0xf8ff) ||
             (v >= 0xfff0 && v <= 0xfffb) || (v & 0xfffe) == 0xfffe || v >= 0xe0000);
}

static bool quote_control(struct buf *out, char c)
{
    static const char names[] = "abtnvfr"; // 7 … 13

    if (c >= 7 && c <= 13) {
        buf_printf(out, "\\%c", names[c - 7]);
    } else if ((unsigned char)c < 0x20 || c == 0x7f) {
        buf_printf(out, "\\x%02x", (unsigned char)c);
    } else {
        return false;
    }
    return true;
}

void quote_go(struct buf *out, struct str s)
{
    buf_add_char(out, '"');
    while (s.n) {
        uint32_t v = 0;
        size_t n = decode_utf8(s, &v);

        if (n == 0) {
            buf_printf(out, "\\x%02x", (unsigned char)s.p[0]);
            n = 1;
        } else if (n == 1 && (s.p[0] == '"' || s.p[0] == '\\')) {
            buf_add_char(out, '\\');
            buf_add_char(out, s.p[0]);
        } else if (n == 1) {
            if (!quote_control(out, s.p[0])) {
                buf_add_char(out, s.p[0]);
            }
        } else if (is_printable(v)) {
            buf_add(out, (struct str){.p = s.p, .n = n});
        } else {
            buf_printf(out, v > 0xffff ? "\\U%08x" : "\\u%04x", v);
        }
        s = (struct str){.p = s.p + n, .n = s.n - n};
    }
    buf_add_char(out, '"');
}
