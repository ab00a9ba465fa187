/* SPDX-License-Identifier: Apache-2.0 */
/* What the numbers and dates of the configuration language are worth (spec 03 A8). */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/status.h"
#include "base/str.h"

/* Thread, for all functions: any. */

/**
 * Read an integer as the scanner finds it: digits, perhaps a minus in front and a suffix behind.
 * When the suffix takes it out of range, it wraps around, as it does in the reference.
 * @return  ST_OUT_OF_RANGE: the digits alone do not fit; ST_BAD_VALUE: there is no such suffix
 */
MUST_USE enum status number_parse_int(struct str text, int64_t *out);

/**
 * Read a decimal with a fraction.
 * @return  ST_OUT_OF_RANGE: it is infinite
 */
MUST_USE enum status number_parse_float(struct str text, double *out);

/**
 * Read a date of the form 2006-01-02T15:04:05Z.
 * @param out  [s] since 1970
 * @return     ST_BAD_VALUE: the calendar or the clock has no such moment
 */
MUST_USE enum status number_parse_date(struct str text, int64_t *out);
