/* SPDX-License-Identifier: Apache-2.0 */
/* `--explain`: every option, what it is, and why. */
#pragma once

#include <stdio.h>

#include "server/server_config.h"

/** Print the options in effect, one a line: `name = value   # origin, what a reload does`. Thread:
 * control. */
void explain_options(FILE *out, struct server_config *config);
