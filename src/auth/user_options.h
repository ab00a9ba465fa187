/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays of users in the configuration. */
#pragma once

#include "conf/option.h"

/** The type of fields that are a struct user_list. */
extern const struct option_type user_list_type;
