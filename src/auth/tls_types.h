/* SPDX-License-Identifier: Apache-2.0 */
/* Types of fields of struct tls_options (io/tls_options.h), for the rows of tls_block.c. */
#pragma once

#include "conf/option.h"

/** uint64_t: a set of tls_cipher_names. */
extern const struct option_type tls_ciphers_type;

/** uint64_t: a set of tls_curve_names. */
extern const struct option_type tls_curves_type;

/** enum tls_min_version. */
extern const struct option_type tls_version_type;

/** struct tls_first. */
extern const struct option_type tls_first_type;

/** struct tls_pairs. */
extern const struct option_type tls_pairs_type;

/** struct tls_pins. */
extern const struct option_type tls_pins_type;
