/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds a parser as a connection does, in pieces, and writes down what comes out; for the unit test
 * and the fuzz target. Every piece lies in a heap block of just its size: sanitizers see
 * over-reads. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "proto/parse.h"

/** @return  the name of a result that is not PARSE_OP or PARSE_MORE. Thread: any. */
const char *parse_run_name(enum parse_result r);

/**
 * Parse `in`, cut where `cuts` says, until it is used up or refused.
 * @param p         a fresh parser, borrowed
 * @param cuts      offsets into in, rising; those not inside are passed over
 * @param out       operations, as "SUB[subject][queue][sid] ", and at the end the name of the
 * refusal, or
 *                  "+n" with the number of bytes left over
 * Contracts of parse.h that are broken abort (ENSURE).
 * Thread: any.
 */
void parse_run(struct parser *p, struct str in, const size_t *cuts, size_t n_cuts, struct buf *out);
