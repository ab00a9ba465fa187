/* SPDX-License-Identifier: Apache-2.0 */
/* Types of the server's options that are no plain values. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "conf/option.h"

/** One entry of server_metadata; owned by it. */
struct metadata_entry {
    char *key;
    char *value;
};

struct metadata {
    struct metadata_entry *list; // by key
    size_t n;
};

/** One entry of feature_flags; the name is owned by it. */
struct feature_flag {
    char *name;
    bool is_on;
};

struct feature_flags {
    struct feature_flag *list; // by name
    size_t n;
};

/** The type of a struct option_list of tags: trimmed, lower case, each once. */
extern const struct option_type tags_type;

/** The type of a struct metadata. */
extern const struct option_type metadata_type;

/** The type of a struct feature_flags. */
extern const struct option_type feature_flags_type;

/** Log which features were switched, if any were. Thread: control. */
void feature_flags_log(const struct feature_flags *f);
