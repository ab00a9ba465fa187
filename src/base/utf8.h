/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 (RFC 3629), one character at a time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

/** What stands for bytes that are no character. */
#define UTF8_REPLACEMENT 0xfffdu
/** Most bytes of a character. */
#define UTF8_MAX 4

/**
 * Decode the first character of s, which is not empty.
 * @param out  the character
 * @return     its length; 0: the first byte begins no valid character
 * Thread: any.
 */
MUST_USE size_t utf8_decode(struct str s, uint32_t *out);

/**
 * Encode a character, which is no surrogate and not beyond U+10FFFF.
 * @param out  room for UTF8_MAX bytes
 * @return     the number of bytes written
 * Thread: any.
 */
size_t utf8_encode(char *out, uint32_t c);
