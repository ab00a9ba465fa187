/* SPDX-License-Identifier: Apache-2.0 */
/* exports of an account in the configuration (spec 03 C7; spec 05 §7, §8). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "broker/tenancy.h"
#include "conf/option.h"

/** So long a service may take to respond, if nothing is said. */
#define EXPORT_THRESHOLD_NS (120 * CLOCK_SEC_NS)

/** Where metrics of a service go. */
struct latency_options {
    const char *subject; // NULL: nothing is measured
    uint8_t sampling;    // [%]; 0: what asks for it in its headers
};

/** One element of exports. */
struct export_options {
    const char *stream, *service; // one of them is a subject, the other one empty
    struct option_list accounts;  // none: all
    int64_t account_token;        // from 1; 0: none
    bool allow_trace;
    enum response_type response;
    int64_t threshold_ns; // more than 0
    struct latency_options latency;
    bool is_stream, has_response, has_threshold; // so far, while it is read
};

struct export_list {
    struct export_options *at;
    size_t n;
};

/** The type of fields that are a struct export_list. */
extern const struct option_type export_list_type;
