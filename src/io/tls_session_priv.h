/* SPDX-License-Identifier: Apache-2.0 */
/* TLS behind one stream, for tls_stream.c and tls_peer.c. */
#pragma once

#include <openssl/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "io/timer.h"

struct stream;
struct tls_context;

struct tls_session {
    SSL *ssl;
    struct stream *stream;
    struct tls_context *context; // a reference
    struct timer again;          // tells the owner of what OpenSSL holds already
    struct buf why_not;          // why a certificate is no good; a text only then
    size_t n_offered;            // [bytes] that a write did not take: the next must have them again
    bool is_secured;
    bool has_failed;        // nothing more can be said
    bool has_more;          // OpenSSL holds what the owner has not read
    bool reads_by_writing;  // reading goes on when the socket is writable
    bool writes_by_reading; // and the other way about
};
