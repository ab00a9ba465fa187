/* SPDX-License-Identifier: Apache-2.0 */
/* Permissions as a value of the configuration (spec 03 C6, 04 §7.1). */
#pragma once

#include "conf/option.h"

/** The type of fields that are a `struct perms *`, a reference or NULL. */
extern const struct option_type perms_option_type;
