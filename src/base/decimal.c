/* SPDX-License-Identifier: Apache-2.0 */
/* Digits come out last first. */
#include "base/decimal.h"

#include <stddef.h>

char *decimal_write(char *out, uint64_t v)
{
    char digits[DECIMAL_MAX];
    size_t n = 0;

    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    while (n) {
        *out++ = digits[--n];
    }
    return out;
}
