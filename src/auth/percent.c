/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers are those of Go's strconv.Atoi: nothing but digits behind the sign. */
#include "auth/percent.h"

#include <stdbool.h>

#define MAX_DIGITS 18 // any number of so many fits

struct str percent_strip(struct str text)
{
    bool has_sign = text.n && text.p[text.n - 1] == '%';

    return (struct str){.p = text.p, .n = text.n - has_sign};
}

enum status percent_parse(struct str digits, int64_t *out)
{
    bool is_signed = digits.n && (digits.p[0] == '-' || digits.p[0] == '+');
    int64_t n = 0;
    size_t n_digits = 0; // without leading zeros

    if (digits.n == is_signed) {
        return ST_BAD_VALUE;
    }
    for (size_t i = is_signed; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9') {
            return ST_BAD_VALUE;
        }
        n_digits += n_digits > 0 || digits.p[i] != '0';
        n = n_digits <= MAX_DIGITS ? n * 10 + (digits.p[i] - '0') : n;
    }
    if (n_digits > MAX_DIGITS) {
        return ST_OUT_OF_RANGE;
    }
    *out = digits.p[0] == '-' ? -n : n;
    return ST_OK;
}
