/* SPDX-License-Identifier: Apache-2.0 */
/* The strings of JSON as they stand in a text: between two quotes, with escapes. What is no Unicode
 * (a byte that is not UTF-8, half of a surrogate pair) is read as U+FFFD, one for each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

/**
 * Find the end of a string and check it.
 * @param text  begins behind the opening quote
 * @param n     [bytes] up to the closing quote; where the error is
 * @return      NULL; or what is wrong, static
 * Thread: any.
 */
MUST_USE const char *json_string_scan(struct str text, size_t *n);

/**
 * Append the characters of a string that was scanned.
 * Thread: the owner of out.
 */
void json_string_unescape(struct str raw, struct buf *out);

/**
 * @param raw   was scanned
 * @param name  ASCII
 * @return      whether they are the same regardless of case, as Unicode folds it
 * Thread: any.
 */
bool json_string_is_name(struct str raw, struct str name);
