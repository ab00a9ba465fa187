/* SPDX-License-Identifier: Apache-2.0 */
/* Digits by value. */
#include "base/base62.h"

#define RADIX 62

char base62_digit(uint64_t value)
{
    static const char digits[RADIX + 1] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    return digits[value % RADIX];
}

void base62_write(char *out, size_t n, uint64_t number)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = base62_digit(number);
        number /= RADIX;
    }
}
