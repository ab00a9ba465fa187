/* SPDX-License-Identifier: Apache-2.0 */
/* Quoting of names in error texts and log lines, as clients of nats-server know it (spec 01
 * §12). */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/**
 * Append s in double quotes: `"` and `\` are escaped by a backslash, printable UTF-8 stays as it
 * is, anything else becomes \n, \t …, \xNN or \uNNNN.
 * Thread: the owner of out.
 */
void quote_go(struct buf *out, struct str s);
