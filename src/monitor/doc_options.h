/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked for of a document: its options (monitor/doc.h) as a query string or a request
 * object has them (spec 07 §2, spec 06 §6.4). For askers:
 *
 *     if (doc_options_from_json(q, text)) {
 *         query_start(q);
 *     } else {
 *         query_finish(q); // q->error says what is wrong, q->status is 400
 *     }
 *
 * Thread: control, for all. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/str.h"

struct query;

/**
 * Fill q->options. Of a repeated name the first value counts; what is empty, unknown, or escaped in
 * a wrong way is not there.
 * @param text  of the request target, without the "?"
 * @return      false: a value is not of its kind
 */
MUST_USE bool doc_options_from_query_string(struct query *q, struct str text);

/**
 * Fill q->options from a JSON object. Names match regardless of case; unknown ones and null are
 * not there; the last one of several counts.
 * @param text  empty: nothing is asked for in particular
 * @return      false: not an object, or a value is not of its kind
 */
MUST_USE bool doc_options_from_json(struct query *q, struct str text);
