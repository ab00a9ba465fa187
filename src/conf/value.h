/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of option values and what they mean: the forms are those of nats-server's configuration
 * language, so that a value reads the same in a file and on the command line. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/* Thread, for all functions: any. */

/**
 * Read true, yes, on / false, no, off, in any case.
 * @return  ST_BAD_VALUE for any other word
 */
MUST_USE enum status value_parse_bool(struct str text, bool *out);

/**
 * Read a decimal integer, optionally negative, optionally with a suffix in any case: k m g t p e
 * count in thousands, kb ki kib mb mi mib … in 1024ths, so "1MB" is 1048576.
 * @return  ST_BAD_VALUE: not a number; ST_OUT_OF_RANGE: does not fit
 */
MUST_USE enum status value_parse_int(struct str text, int64_t *out);

/**
 * Read a duration as Go writes it: "2m", "1h30m", "1.5s", "250ms", "-1s", "0".
 * @param out  [ns]
 * @param why  the reason for a refusal is appended here: `missing unit in duration "10"`
 * @return     ST_BAD_VALUE; too large a duration counts as one
 */
MUST_USE enum status value_parse_duration(struct str text, int64_t *out, struct buf *why);

/**
 * Read a plain number of seconds, optionally with decimals: "2", "0.5".
 * @param out  [ns]
 * @return     ST_BAD_VALUE: not a number; ST_OUT_OF_RANGE: does not fit
 */
MUST_USE enum status value_parse_seconds(struct str text, int64_t *out);

/**
 * Split "host:port", "[v6]:port" or ":port".
 * @param host  a part of text, without brackets; may be empty
 * @return      ST_BAD_VALUE: no port in it, or an IPv6 address without brackets;
 *              ST_OUT_OF_RANGE: the port is not a number (*port_text is set in this case as well)
 */
MUST_USE enum status value_parse_address(struct str text, struct str *host, int64_t *port,
                                         struct str *port_text);

/**
 * Read a boolean as Go's flag package does: 1 t T true TRUE True / 0 f F false FALSE False.
 * @return  ST_BAD_VALUE for any other word
 */
MUST_USE enum status value_parse_flag_bool(struct str text, bool *out);

/**
 * Read an integer as Go's flag package does: a sign, 0x 0o 0b or 0 in front for other bases, single
 * underscores between digits.
 * @return  ST_BAD_VALUE: not a number; ST_OUT_OF_RANGE: does not fit
 */
MUST_USE enum status value_parse_flag_int(struct str text, int64_t *out);
