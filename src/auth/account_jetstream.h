/* SPDX-License-Identifier: Apache-2.0 */
/* What an account says of JetStream (spec 03 D7): checked, as JetStream does not exist yet. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/status.h"
#include "base/str.h"

struct node;
struct option_reader;

/** Read "enabled", "enable", "disabled" or "disable". @return  whether it is one of them. Thread:
 * any. */
MUST_USE bool jetstream_read_word(struct str word, bool *is_on);

/**
 * @param is_asked  out: whether the account wants it
 * @return          ST_FAILED: the reason was reported
 * Thread: control.
 */
MUST_USE enum status account_jetstream_check(const struct node *value, bool *is_asked,
                                             struct option_reader *r);
