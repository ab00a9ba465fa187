/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of a configuration; that they have the right form was checked by the scanner. */
#include "conf/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json_number.h"
#include "base/mem.h"

/* The factor that a suffix stands for; 0: there is no such suffix. */
static uint64_t factor_of(struct str suffix)
{
    static const char letters[] = "kmgtpe";
    struct str tail = {.p = suffix.p + 1, .n = suffix.n - 1};
    bool is_binary = str_equal_nocase(tail, STR("b")) || str_equal_nocase(tail, STR("i")) ||
                     str_equal_nocase(tail, STR("ib"));
    uint64_t unit = is_binary ? 1024 : 1000;
    uint64_t factor = unit;

    if (tail.n && !is_binary) {
        return 0;
    }
    for (const char *l = letters; *l != (suffix.p[0] | 0x20); l++) {
        factor *= unit;
    }
    return factor;
}

enum status number_parse_int(struct str text, int64_t *out)
{
    struct str digits = {.p = text.p, .n = 1}; // at least one, or the minus
    uint64_t factor = 1;
    int64_t v;

    while (digits.n < text.n && text.p[digits.n] >= '0' && text.p[digits.n] <= '9') {
        digits.n++;
    }
    if (!json_number_parse_int(digits, &v)) {
        return ST_OUT_OF_RANGE;
    }
    if (digits.n < text.n) {
        factor = factor_of((struct str){.p = text.p + digits.n, .n = text.n - digits.n});
    }
    *out = (int64_t)((uint64_t)v * factor);
    return factor ? ST_OK : ST_BAD_VALUE;
}

enum status number_parse_float(struct str text, double *out)
{
    char *z = mem_strndup(text.p, text.n);

    *out = strtod(z, NULL); // the process never leaves the "C" locale
    mem_free(z);
    return isinf(*out) ? ST_OUT_OF_RANGE : ST_OK;
}

/* n digits at p. */
static int digits_at(const char *p, size_t n)
{
    int v = 0;

    for (size_t i = 0; i < n; i++) {
        v = v * 10 + (p[i] - '0');
    }
    return v;
}

enum status number_parse_date(struct str text, int64_t *out)
{
    struct tm t = {.tm_year = digits_at(text.p, 4) - 1900,
                   .tm_mon = digits_at(text.p + 5, 2) - 1,
                   .tm_mday = digits_at(text.p + 8, 2),
                   .tm_hour = digits_at(text.p + 11, 2),
                   .tm_min = digits_at(text.p + 14, 2),
                   .tm_sec = digits_at(text.p + 17, 2)};
    struct tm real = t;

    *out = timegm(&real); // moves what is too much on to the next minute, day, …
    bool is_real = real.tm_year == t.tm_year && real.tm_mon == t.tm_mon &&
                   real.tm_mday == t.tm_mday && real.tm_hour == t.tm_hour &&
                   real.tm_min == t.tm_min && real.tm_sec == t.tm_sec;
    return is_real ? ST_OK : ST_BAD_VALUE;
}
