/* SPDX-License-Identifier: Apache-2.0 */
/* What an account says of JetStream (spec 03 D7): checked, as JetStream does not exist yet. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/status.h"

struct node;
struct option_reader;

/**
 * @param is_asked  out: whether the account wants it
 * @return          ST_FAILED: the reason was reported
 * Thread: control.
 */
MUST_USE enum status account_jetstream_check(const struct node *value, bool *is_asked,
                                             struct option_reader *r);
