/* SPDX-License-Identifier: Apache-2.0 */
/* The `tls` block of the configuration: of clients, and of all else that has one (spec 03 C5). */
#pragma once

#include "conf/option.h"

/** The type of fields that are a struct tls_options (io/tls_options.h). The files that a block
 * names are read, to see that they are good. */
extern const struct option_type tls_options_type;
