/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in the digits 0-9A-Za-z, as NATS servers write ids, reply subjects and hashes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Write n digits of a number, the lowest first. Thread: any. */
void base62_write(char *out, size_t n, uint64_t number);

/** @return  the digit of a value, modulo 62. Thread: any. */
char base62_digit(uint64_t value);
