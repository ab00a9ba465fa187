/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of JSON. Any length is a number, but only 64 bits have a value. */
#include "base/json_number.h"

static size_t count_digits(struct str text, size_t from)
{
    size_t n = from;

    while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9') {
        n++;
    }
    return n - from;
}

static bool is_one_of(struct str text, size_t at, const char *two)
{
    return at < text.n && (text.p[at] == two[0] || text.p[at] == two[1]);
}

size_t json_number_scan(struct str text)
{
    size_t n = is_one_of(text, 0, "--");
    size_t digits = is_one_of(text, n, "00") ? 1 : count_digits(text, n);

    n += digits;
    if (digits && is_one_of(text, n, "..")) {
        digits = count_digits(text, n + 1);
        n += 1 + digits;
    }
    if (digits && is_one_of(text, n, "eE")) {
        n += 1 + is_one_of(text, n + 1, "+-");
        digits = count_digits(text, n);
        n += digits;
    }
    return digits ? n : 0;
}

static bool parse(struct str digits, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    for (size_t i = 0; i < digits.n; i++) {
        unsigned digit = (unsigned char)digits.p[i] - (unsigned)'0';

        if (digit > 9 || v > (max - digit) / 10) {
            return false;
        }
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

bool json_number_parse_uint(struct str raw, uint64_t *out)
{
    return parse(raw, UINT64_MAX, out);
}

bool json_number_parse_int(struct str raw, int64_t *out)
{
    bool is_negative = raw.p[0] == '-';
    struct str digits = {.p = raw.p + is_negative, .n = raw.n - is_negative};
    uint64_t v;

    if (!parse(digits, (uint64_t)INT64_MAX + is_negative, &v)) {
        return false;
    }
    *out = (int64_t)(is_negative ? 0 - v : v);
    return true;
}
