/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing of option values. Nothing here depends on the locale: numbers are read digit by digit
 * into integers that are checked for overflow. */
#include "conf/value.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/str.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct str rest_after(struct str s, size_t n)
{
    return (struct str){.p = s.p + n, .n = s.n - n};
}

enum status value_parse_bool(struct str text, bool *out)
{
    static const struct {
        struct str word;
        bool value;
    } words[] = {{{"true", 4}, true},   {{"yes", 3}, true}, {{"on", 2}, true},
                 {{"false", 5}, false}, {{"no", 2}, false}, {{"off", 3}, false}};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (str_equal_nocase(text, words[i].word)) {
            *out = words[i].value;
            return ST_OK;
        }
    }
    return ST_BAD_VALUE;
}

/* The factor that a suffix stands for; 0 when it is none. */
static int64_t suffix_factor(struct str suffix)
{
    static const char letters[] = "kmgtpe";
    int64_t factor = 1;

    if (suffix.n == 0) {
        return 1;
    }
    const char *letter = memchr(letters, suffix.p[0] | 0x20, sizeof(letters) - 1);
    struct str tail = rest_after(suffix, 1);
    bool is_binary = str_equal_nocase(tail, STR("b")) || str_equal_nocase(tail, STR("i")) ||
                     str_equal_nocase(tail, STR("ib"));
    if (!letter || (tail.n && !is_binary)) {
        return 0;
    }
    for (const char *l = letters; l <= letter; l++) {
        factor *= is_binary ? 1024 : 1000;
    }
    return factor;
}

enum status value_parse_int(struct str text, int64_t *out)
{
    bool is_negative = text.n > 0 && text.p[0] == '-';
    struct str rest = rest_after(text, is_negative ? 1 : 0);
    size_t n_digits = 0;
    int64_t v = 0;
    bool fits = true;

    while (n_digits < rest.n && is_digit(rest.p[n_digits])) {
        int digit = rest.p[n_digits++] - '0';

        fits = fits && !__builtin_mul_overflow(v, 10, &v) &&
               !__builtin_add_overflow(v, is_negative ? -digit : digit, &v);
    }
    int64_t factor = suffix_factor(rest_after(rest, n_digits));
    if (n_digits == 0 || factor == 0) {
        return ST_BAD_VALUE;
    }
    if (!fits || __builtin_mul_overflow(v, factor, &v)) {
        return ST_OUT_OF_RANGE;
    }
    *out = v;
    return ST_OK;
}

/* A decimal number "12.5", as whole and fraction: v = whole + fraction / scale. */
struct decimal {
    uint64_t whole;
    uint64_t fraction;
    uint64_t scale; // a power of ten
    bool fits;
};

/* Reads a decimal from the front of s; returns the bytes used, 0 when there are no digits. */
static size_t take_decimal(struct str s, struct decimal *out)
{
    size_t at = 0;
    size_t n_digits = 0;

    *out = (struct decimal){.scale = 1, .fits = true};
    for (; at < s.n && is_digit(s.p[at]); at++, n_digits++) {
        out->fits = out->fits && !__builtin_mul_overflow(out->whole, 10U, &out->whole) &&
                    !__builtin_add_overflow(out->whole, (unsigned)(s.p[at] - '0'), &out->whole);
    }
    if (at < s.n && s.p[at] == '.') {
        for (at++; at < s.n && is_digit(s.p[at]); at++, n_digits++) {
            if (out->scale < UINT64_C(1000000000000)) { // finer than any unit needs
                out->scale *= 10;
                out->fraction = out->fraction * 10 + (unsigned)(s.p[at] - '0');
            }
        }
    }
    return n_digits ? at : 0;
}

/* Adds v units to *sum; false when the result is not representable. */
static bool add_units(uint64_t *sum, const struct decimal *v, uint64_t unit)
{
    uint64_t whole;
    uint64_t part = (uint64_t)((double)v->fraction * ((double)unit / (double)v->scale));

    return v->fits && !__builtin_mul_overflow(v->whole, unit, &whole) &&
           !__builtin_add_overflow(*sum, whole, sum) && !__builtin_add_overflow(*sum, part, sum) &&
           *sum <= (uint64_t)INT64_MAX;
}

static uint64_t unit_ns(struct str name)
{
    static const struct {
        struct str name;
        uint64_t ns;
    } units[] = {{{"ns", 2}, 1},
                 {{"us", 2}, 1000},
                 {{"\xc2\xb5s", 3}, 1000}, // micro sign
                 {{"\xce\xbcs", 3}, 1000}, // Greek mu
                 {{"ms", 2}, 1000000},
                 {{"s", 1}, 1000000000},
                 {{"m", 1}, UINT64_C(60000000000)},
                 {{"h", 1}, UINT64_C(3600000000000)}};

    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        if (str_equal(name, units[i].name)) {
            return units[i].ns;
        }
    }
    return 0;
}

enum status value_parse_duration(struct str text, int64_t *out, struct buf *why)
{
    bool has_sign = text.n > 0 && (text.p[0] == '-' || text.p[0] == '+');
    struct str rest = rest_after(text, has_sign ? 1 : 0);
    uint64_t sum = 0;

    if (str_equal(rest, STR("0"))) {
        *out = 0;
        return ST_OK;
    }
    bool is_good = rest.n > 0;
    while (is_good && rest.n > 0) {
        struct decimal number;
        size_t n = take_decimal(rest, &number);
        struct str unit = rest_after(rest, n);

        unit.n = 0;
        while (unit.n < rest.n - n && unit.p[unit.n] != '.' && !is_digit(unit.p[unit.n])) {
            unit.n++;
        }
        uint64_t ns = unit_ns(unit);
        if (n && !unit.n) {
            buf_printf(why, "missing unit in duration \"%.*s\"", STR_ARG(text));
            return ST_BAD_VALUE;
        }
        if (n && !ns) {
            buf_printf(why, "unknown unit \"%.*s\" in duration \"%.*s\"", STR_ARG(unit),
                       STR_ARG(text));
            return ST_BAD_VALUE;
        }
        is_good = n && add_units(&sum, &number, ns);
        rest = rest_after(rest, n + unit.n);
    }
    if (!is_good) {
        buf_printf(why, "invalid duration \"%.*s\"", STR_ARG(text));
        return ST_BAD_VALUE;
    }
    *out = has_sign && text.p[0] == '-' ? -(int64_t)sum : (int64_t)sum;
    return ST_OK;
}

enum status value_parse_seconds(struct str text, int64_t *out)
{
    bool is_negative = text.n > 0 && text.p[0] == '-';
    struct str rest = rest_after(text, is_negative ? 1 : 0);
    struct decimal number;
    uint64_t sum = 0;
    size_t n = take_decimal(rest, &number);

    if (n == 0 || n != rest.n) {
        return ST_BAD_VALUE;
    }
    if (!add_units(&sum, &number, (uint64_t)CLOCK_SEC_NS)) {
        return ST_OUT_OF_RANGE;
    }
    *out = is_negative ? -(int64_t)sum : (int64_t)sum;
    return ST_OK;
}

enum status value_parse_address(struct str text, struct str *host, int64_t *port,
                                struct str *port_text)
{
    const char *colon = text.n ? memrchr(text.p, ':', text.n) : NULL;
    struct str h = {.p = text.p, .n = colon ? (size_t)(colon - text.p) : 0};

    if (!colon) {
        return ST_BAD_VALUE;
    }
    if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']') {
        h = (struct str){.p = h.p + 1, .n = h.n - 2};
    } else if (h.n && memchr(h.p, ':', h.n)) {
        return ST_BAD_VALUE;
    }
    *port_text = rest_after(text, (size_t)(colon + 1 - text.p));
    bool ends_in_digit = port_text->n && is_digit(port_text->p[port_text->n - 1]); // no "4k"
    if (!ends_in_digit || value_parse_int(*port_text, port) != ST_OK) {
        return ST_OUT_OF_RANGE;
    }
    *host = h;
    return ST_OK;
}

/* ---- flags of the command line */

enum status value_parse_flag_bool(struct str text, bool *out)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};

    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        if (str_equal(text, str_of(yes[i])) || str_equal(text, str_of(no[i]))) {
            *out = str_equal(text, str_of(yes[i]));
            return ST_OK;
        }
    }
    return ST_BAD_VALUE;
}

/* Takes the prefix of a number's base off s; underscores may follow a prefix. */
static int take_base(struct str *s)
{
    int base = 10;
    size_t n = 0;

    if (s->n > 2 && s->p[0] == '0') {
        char c = (char)(s->p[1] | 0x20);

        base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 10;
        n = base == 10 ? 0 : 2;
    }
    if (base == 10 && s->n > 1 && s->p[0] == '0') {
        base = 8;
        n = 1;
    }
    s->p += n;
    s->n -= n;
    if (n && s->n && s->p[0] == '_') {
        s->p++;
        s->n--;
    }
    return base;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

enum status value_parse_flag_int(struct str text, int64_t *out)
{
    bool has_sign = text.n > 0 && (text.p[0] == '-' || text.p[0] == '+');
    bool is_negative = has_sign && text.p[0] == '-';
    struct str s = {.p = text.p + (has_sign ? 1 : 0), .n = text.n - (has_sign ? 1 : 0)};
    int base = take_base(&s);
    bool was_digit = false;
    bool fits = true;
    int64_t v = 0;

    for (size_t i = 0; i < s.n; i++) {
        int digit = digit_of(s.p[i]);

        if (s.p[i] == '_' && was_digit) {
            was_digit = false;
            continue;
        }
        if (digit >= base) {
            return ST_BAD_VALUE;
        }
        fits = fits && !__builtin_mul_overflow(v, base, &v) &&
               !__builtin_add_overflow(v, is_negative ? -digit : digit, &v);
        was_digit = true;
    }
    if (!was_digit) {
        return ST_BAD_VALUE;
    }
    if (!fits) {
        return ST_OUT_OF_RANGE;
    }
    *out = v;
    return ST_OK;
}
