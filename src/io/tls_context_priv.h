/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of a context, for tls_stream.c. */
#pragma once

#include <openssl/types.h>

#include <stdatomic.h>
#include <stddef.h>

#include "io/tls_cert_priv.h"
#include "io/tls_options.h"
#include "io/tls_tickets_priv.h"

struct tls_context {
    _Atomic unsigned n_refs;
    SSL_CTX *ssl;
    struct tls_cert *certs; // if there are several: the first is what others fall back to
    size_t n_certs;
    struct tls_pins pins;
    struct tls_tickets tickets;
};
