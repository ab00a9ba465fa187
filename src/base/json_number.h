/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of JSON as they stand in a text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

/**
 * @return  the length of the number that text begins with; 0: none
 * Thread: any.
 */
MUST_USE size_t json_number_scan(struct str text);

/**
 * The value of a number that was scanned.
 * @return  false: it has a fraction or an exponent, or does not fit
 * Thread: any.
 */
MUST_USE bool json_number_parse_int(struct str raw, int64_t *out);

/** As json_number_parse_int, for what has no sign. */
MUST_USE bool json_number_parse_uint(struct str raw, uint64_t *out);
