/* SPDX-License-Identifier: Apache-2.0 */
/* Shares as configurations have them in strings: "50%", or "50". */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/status.h"
#include "base/str.h"

/** @return  text without the percent sign that it may end in. Thread: any (as for all here). */
struct str percent_strip(struct str text);

/**
 * Read a decimal number, perhaps with a sign.
 * @param digits  of percent_strip
 * @return        ST_BAD_VALUE: not a number; ST_OUT_OF_RANGE: one of more than 18 digits
 */
MUST_USE enum status percent_parse(struct str digits, int64_t *out);
