/* SPDX-License-Identifier: Apache-2.0 */
/* How long services take (spec 05 §11): which requests are measured, and the document that says how
 * it went. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct latency_rule;
struct party;

/** How a request that is measured ended. */
enum latency_status {
    LATENCY_OK = 200,
    LATENCY_BAD_REQUEST = 400,     // no reply was asked for
    LATENCY_REQUEST_TIMEOUT = 408, // whoever asked does not wait any more
    LATENCY_UNAVAILABLE = 503,     // nobody was there to answer
    LATENCY_SERVICE_TIMEOUT = 504, // nobody answered in time
};

/** A request under way that is measured. */
struct latency_probe;

/**
 * Decide whether a request is measured, by its headers and by lot.
 * @param hdr     header block of the request, perhaps empty
 * @param random  any number, evenly distributed
 * @return        an owned probe; NULL: it is not
 * Thread: any (as for all functions here).
 */
struct latency_probe *latency_sample(const struct latency_rule *rule, struct str hdr,
                                     uint32_t random);

/**
 * Note who asked, and that it was now.
 * @param requestor  what may be told of it; everything is copied
 * @param now_ns     monotonic
 */
void latency_start(struct latency_probe *p, const struct party *requestor, int64_t now_ns);

/**
 * Append the metric that says how the request ended.
 * @param responder  in full; NULL unless the status is OK
 * @param now_ns     monotonic
 */
void latency_report(const struct latency_probe *p, enum latency_status status,
                    const struct party *responder, int64_t now_ns, struct buf *json);

/** @return  the headers that asked for the measurement, as JSON; empty: it was drawn by lot.
 * Borrowed from p */
struct str latency_headers(const struct latency_probe *p);

/** Free it; NULL is allowed. */
void latency_free(struct latency_probe *p);
