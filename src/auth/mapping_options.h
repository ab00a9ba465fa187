/* SPDX-License-Identifier: Apache-2.0 */
/* mappings in the configuration: of an account, and at top level of $G (spec 03 C8). */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "broker/mapping.h"
#include "conf/option.h"

/** All that is said about one source. */
struct mapping_options {
    struct str source;
    const struct mapping_dest *dests;
    size_t n;
};

/** As configured; each source is there once. */
struct mapping_list {
    struct arena arena; // of strings and destinations
    struct mapping_options *at;
    size_t n;
};

/** The type of fields that are a struct mapping_list. Reading a second map ("maps" beside
 * "mappings") adds to what is there. */
extern const struct option_type mapping_list_type;
