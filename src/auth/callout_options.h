/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of authorization.auth_callout, where logins are left to a service (spec 03 C6, spec 04
 * §14). They are checked, but a server that is asked to run them refuses: that does not exist yet.
 * Thread: control. */
#pragma once

#include "base/status.h"
#include "conf/option.h"

struct auth_options;
struct diag;
struct node;

/** The rows, over struct auth_options. */
extern const struct option callout_options_rows[];

/** Whether what a block says goes together; notes in `base` that it is there. */
enum status callout_options_check_block(void *base, const struct node *block,
                                        struct option_reader *r);

/** When all has been read: the accounts that it names must exist. @return ST_FAILED: the reasons
 * are in d */
enum status callout_options_check(const struct auth_options *o, struct diag *d);
