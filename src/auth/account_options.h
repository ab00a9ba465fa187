/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts in the configuration. */
#pragma once

#include "conf/option.h"

/** The type of fields that are a struct account_list. */
extern const struct option_type account_list_type;

struct account_list;
struct account_options;

/** @return  the account of that name, borrowed; NULL: it is not configured. Thread: any. */
const struct account_options *account_list_find(const struct account_list *l, struct str name);
