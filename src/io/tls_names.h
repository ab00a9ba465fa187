/* SPDX-License-Identifier: Apache-2.0 */
/* Cipher suites and curves by the names that configurations use, and what OpenSSL calls them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tls_name {
    const char *name;    // in the configuration
    const char *openssl; // NULL: not with this library, or nothing that can be chosen
    bool is_insecure;
};

/** Cipher suites, the best first. At most 64: sets of them are bits. */
extern const struct tls_name tls_cipher_names[];
extern const size_t tls_n_cipher_names;

/** Curves and other key exchanges, the best first. At most 64. */
extern const struct tls_name tls_curve_names[];
extern const size_t tls_n_curve_names;
