/* SPDX-License-Identifier: Apache-2.0 */
/* Three bytes are four digits. */
#include "base/base64.h"

#include <stdint.h>

void base64_add(struct buf *out, struct str bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *to = buf_reserve(out, (bytes.n + 2) / 3 * 4);

    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t n = bytes.n - i < 3 ? bytes.n - i : 3;
        uint32_t bits = 0;

        for (size_t k = 0; k < n; k++) {
            bits |= (uint32_t)(unsigned char)bytes.p[i + k] << (16 - 8 * k);
        }
        for (size_t k = 0; k < 4; k++) {
            *to++ = k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=';
        }
    }
    out->n += (bytes.n + 2) / 3 * 4;
}

/* @return  less than 0: it is no digit */
static int value_of(char digit)
{
    if (digit >= 'A' && digit <= 'Z') {
        return digit - 'A';
    }
    if (digit >= 'a' && digit <= 'z') {
        return digit - 'a' + 26;
    }
    if (digit >= '0' && digit <= '9') {
        return digit - '0' + 52;
    }
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

static size_t count_padding(struct str text)
{
    size_t n = 0;

    while (n < 2 && n < text.n && text.p[text.n - 1 - n] == '=') {
        n++;
    }
    return n;
}

bool base64_decode(struct str text, struct buf *out)
{
    size_t n_digits = text.n - count_padding(text);
    uint32_t bits = 0;

    if (text.n % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < n_digits; i++) {
        int value = value_of(text.p[i]);

        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 != 0) {
            buf_add_char(out, (char)(bits >> (6 - i % 4 * 2) & 0xff));
        }
    }
    return true;
}
