/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8: neither longer forms than needed nor surrogates are taken. */
#include "base/utf8.h"

static size_t length_of(unsigned char lead)
{
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xc2 || lead > 0xf4) {
        return 0;
    }
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

size_t utf8_decode(struct str s, uint32_t *out)
{
    static const uint32_t smallest[UTF8_MAX + 1] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)s.p[0];
    size_t n = length_of(lead);

    if (n == 0 || n > s.n) {
        return 0;
    }
    uint32_t c = n == 1 ? lead : lead & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        unsigned char next = (unsigned char)s.p[i];

        if ((next & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (next & 0x3fu);
    }
    if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        return 0;
    }
    *out = c;
    return n;
}

size_t utf8_encode(char *out, uint32_t c)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    if (n == 1) {
        out[0] = (char)c;
        return 1;
    }
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (char)((0xf00u >> n) | c); // n ones, then a zero
    return n;
}
