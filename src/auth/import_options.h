/* SPDX-License-Identifier: Apache-2.0 */
/* imports of an account in the configuration (spec 03 C7; spec 05 §7, §8). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "conf/option.h"

/** One element of imports. */
struct import_options {
    const char *account, *subject; // what is imported; empty: the element imports nothing
    const char *prefix, *to;       // where to; empty: not said
    bool share, allow_trace;
    bool is_service;
};

struct import_list {
    struct import_options *at;
    size_t n;
};

/** The type of fields that are a struct import_list. */
extern const struct option_type import_list_type;
