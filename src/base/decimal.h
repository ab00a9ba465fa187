/* SPDX-License-Identifier: Apache-2.0 */
/* Whole numbers as decimal text, without printf: they are in every MSG line and JSON document. */
#pragma once

#include <stdint.h>

/** Most digits of a 64-bit number. */
#define DECIMAL_MAX 20

/**
 * Write a number in decimal, without a NUL.
 * @param out  room for DECIMAL_MAX bytes
 * @return     the byte after the last digit
 * Thread: any.
 */
char *decimal_write(char *out, uint64_t v);
