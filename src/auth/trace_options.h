/* SPDX-License-Identifier: Apache-2.0 */
/* Traces that clients ask for by a traceparent header: where they go (spec 05 §2). */
#pragma once

#include <stdint.h>

#include "conf/option.h"

/** msg_trace of an account. */
struct trace_options {
    const char *dest; // a literal subject; NULL: none
    uint8_t sampling; // [%] of the messages that ask for it
};

/** The type of fields that are a struct trace_options. */
extern const struct option_type trace_type;
