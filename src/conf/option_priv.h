/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the options share. */
#pragma once

#include "base/str.h"
#include "conf/option.h"

/** @return  the place of an option's value. Thread: the owner of the struct (as for all here). */
static inline void *option_field(const struct option_slot *slot)
{
    return (char *)slot->base + slot->row->offset;
}

/** @return  whether a row has this name or alias, without regard to case */
bool option_is_named(const struct option *row, struct str name);

/** Let a string field hold a copy of text. */
void option_replace_string(char **at, struct str text);
