/* SPDX-License-Identifier: Apache-2.0 */
/* Strings of JSON. A first look checks them, all others rely on it. */
#include "base/json_string.h"

#include <stdint.h>

#include "base/utf8.h"

/* What may follow a backslash, and what it stands for. */
static const char letters[] = "\"\\/bfnrt";
static const char meanings[] = "\"\\/\b\f\n\r\t";

static const char *find_letter(char c)
{
    return c ? strchr(letters, c) : NULL;
}

/* -1: not a digit. */
static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The length of the escape at the start of s; 0: it is none. */
static size_t escape_length(struct str s)
{
    if (s.n < 2) {
        return 0;
    }
    if (s.p[1] != 'u') {
        return find_letter(s.p[1]) ? 2 : 0;
    }
    for (size_t i = 2; i < 6; i++) {
        if (i >= s.n || hex_digit(s.p[i]) < 0) {
            return 0;
        }
    }
    return 6;
}

const char *json_string_scan(struct str text, size_t *n)
{
    for (*n = 0; *n < text.n && text.p[*n] != '"';) {
        size_t step = 1;

        if ((unsigned char)text.p[*n] < 0x20) {
            return "a control character in a string";
        }
        if (text.p[*n] == '\\') {
            step = escape_length((struct str){.p = text.p + *n, .n = text.n - *n});
        }
        if (step == 0) {
            return "a bad escape in a string";
        }
        *n += step;
    }
    return *n < text.n ? NULL : "a string without an end";
}

static uint32_t parse_hex4(const char *p)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < 4; i++) {
        v = v << 4 | (uint32_t)hex_digit(p[i]);
    }
    return v;
}

/* A character written as \uNNNN, or as two of these; *n: [bytes] it takes. */
static uint32_t parse_unicode(struct str s, size_t *n)
{
    uint32_t c = parse_hex4(s.p + 2);

    *n = 6;
    if (c < 0xd800 || c > 0xdfff) {
        return c;
    }
    if (c < 0xdc00 && s.n >= 12 && s.p[6] == '\\' && s.p[7] == 'u') {
        uint32_t low = parse_hex4(s.p + 8);

        if (low >= 0xdc00 && low <= 0xdfff) {
            *n = 12;
            return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return UTF8_REPLACEMENT;
}

/* Takes a character off the front. */
static uint32_t take_char(struct str *s)
{
    uint32_t c = UTF8_REPLACEMENT;
    size_t n;

    if (s->p[0] != '\\') {
        n = utf8_decode(*s, &c);
        n = n ? n : 1;
    } else if (s->p[1] == 'u') {
        c = parse_unicode(*s, &n);
    } else {
        const char *letter = find_letter(s->p[1]);

        c = letter ? (unsigned char)meanings[letter - letters] : UTF8_REPLACEMENT;
        n = 2;
    }
    *s = (struct str){.p = s->p + n, .n = s->n - n};
    return c;
}

void json_string_unescape(struct str raw, struct buf *out)
{
    while (raw.n) {
        uint32_t c = take_char(&raw);

        out->n += utf8_encode(buf_reserve(out, UTF8_MAX), c);
    }
}

/* ASCII letters to lower case; two characters beyond ASCII have one as their lower case, too. */
static uint32_t fold(uint32_t c)
{
    if (c == 0x17f) { // LATIN SMALL LETTER LONG S
        return 's';
    }
    if (c == 0x212a) { // KELVIN SIGN
        return 'k';
    }
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

bool json_string_is_name(struct str raw, struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (raw.n == 0 || fold(take_char(&raw)) != fold((unsigned char)name.p[i])) {
            return false;
        }
    }
    return raw.n == 0;
}
