/* SPDX-License-Identifier: Apache-2.0 */
/* Escapes in request targets: paths, and what is behind the "?", names and values as browsers write
 * forms. Thread: the owner of the buffers, for all. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

/** Append text with its %XX decoded. @return  false: there is a broken escape */
MUST_USE bool percent_decode(struct str text, struct buf *out);

/**
 * Step to the next pair of a query string. Pairs with a broken escape or a semicolon are skipped,
 * as Go does it.
 * @param rest   what is left, without the "?"; cut by what was stepped over
 * @param name   is replaced, decoded
 * @param value  is replaced, decoded; empty if there is none
 * @return       false: that was all
 */
MUST_USE bool query_string_next(struct str *rest, struct buf *name, struct buf *value);
