/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts in the configuration. */
#pragma once

#include "conf/option.h"

/** The type of fields that are a struct account_list. */
extern const struct option_type account_list_type;
