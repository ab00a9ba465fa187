/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys from PEM files. The messages are those of the reference. */
#pragma once

#include <openssl/safestack.h>
#include <openssl/types.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/status.h"
#include "io/tls_options.h"

/** Who we say we are: a certificate, those between it and the root, and its key. */
struct tls_cert {
    X509 *leaf;
    STACK_OF(X509) * chain; // may be NULL
    EVP_PKEY *key;
};

/**
 * Read a certificate and its key, and see that they belong together.
 * @param out  owned by the caller on success: tls_cert_deinit
 * @param why  what is wrong, otherwise
 * Thread: control. Blocks: reads files.
 */
MUST_USE enum status tls_cert_load(const struct tls_pair *pair, struct tls_cert *out,
                                   struct buf *why);

/** Release what is in c. */
void tls_cert_deinit(struct tls_cert *c);

/**
 * Read the certificates of those to be trusted.
 * @return  ST_FAILED: `why` says what is wrong
 * Thread: control. Blocks: reads a file.
 */
MUST_USE enum status tls_cert_load_roots(const char *path, STACK_OF(X509) * *out, struct buf *why);
