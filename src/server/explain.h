/* SPDX-License-Identifier: Apache-2.0 */
/* `--explain`: every option, what it is, and why. `--diff`: what a reload would change. */
#pragma once

#include <stdio.h>

#include "server/server_config.h"

/** Print the options in effect, one a line: `name = value   # origin, what a reload does`. Thread:
 * control. */
void explain_options(FILE *out, struct server_config *config);

/**
 * `--diff`: print what a reload from one configuration to the other would do.
 * @return  ST_FAILED: it would be refused
 */
MUST_USE enum status explain_reload(FILE *out, struct server_config *before,
                                    struct server_config *now);
