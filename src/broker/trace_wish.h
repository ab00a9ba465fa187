/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a message is to be traced: by its header Nats-Trace-Dest, or by a traceparent header and
 * msg_trace of its account (spec 01 §25, spec 05 §2). */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

struct account;

/** A header of messages that have been in another account: old servers set it. */
#define TRACE_WISH_ORIGIN "Nats-Trace-Origin-Account"

enum trace_wish {
    TRACE_WISH_NONE,
    TRACE_WISH_YES,
    TRACE_WISH_NOT_DRAWN, // the account wants only some, and not this one: nobody else is to trace
                          // it either
    TRACE_WISH_FORBIDDEN, // it has been in another account, so the header says nothing any more
};

/**
 * Quick for messages without such headers.
 * @param hdr     header block of the message
 * @param a       of its publisher
 * @param random  any number, evenly distributed
 * @param dest    out, for TRACE_WISH_YES: where the trace is to go, which may be anything; borrowed
 *                from hdr, or from a's links
 * Thread: a worker.
 */
MUST_USE enum trace_wish trace_wish(struct str hdr, const struct account *a, uint32_t random,
                                    struct str *dest);
