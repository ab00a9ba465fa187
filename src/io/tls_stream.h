/* SPDX-License-Identifier: Apache-2.0 */
/* TLS on a stream, as the side that is connected to. The handshake is part of the stream: until it
 * is over, reading and writing say -EAGAIN. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "io/stream.h"

struct tls_context;

/** Bytes by way of TLS. Set by stream_start_tls. */
extern const struct stream_ops stream_tls_ops;

/** The first byte of everything that begins a handshake. */
#define TLS_FIRST_BYTE 0x16

/**
 * Begin a handshake. What the stream has not read yet must be its first bytes; what it has written
 * went in the clear. It is over when the event on_secured says so; whoever wants a deadline closes
 * the stream.
 * SIGPIPE must be ignored: OpenSSL writes to the socket as to a file.
 * @param s        plain, with the event on_secured
 * @param context  borrowed; the stream keeps a reference
 * Thread: the worker (as for all functions here).
 */
void stream_start_tls(struct stream *s, struct tls_context *context);

/** @return  whether a handshake has been completed on it. */
bool stream_is_secured(const struct stream *s);

/** @return  "1.2" or "1.3"; NULL if it is not secured */
const char *stream_tls_version(const struct stream *s);

/** @return  the suite by its standard name, "TLS_AES_128_GCM_SHA256"; NULL if it is not secured */
const char *stream_tls_cipher(const struct stream *s);

/* What the other side has shown. Nothing, unless the context verifies. */

enum tls_peer_name {
    TLS_PEER_EMAIL,
    TLS_PEER_DNS,
    TLS_PEER_URI,
};

/** Append the certificate of the other side in DER. @return false: it has shown none */
bool tls_peer_certificate(const struct stream *s, struct buf *out);

/** @return  whether the pins of a context let the other side in: its key is among them, or there
 * are none */
bool tls_peer_is_pinned(const struct stream *s, const struct tls_context *context);

/** Append its subject as RFC 2253 has it: "CN=name,O=company". @return false: as above */
bool tls_peer_subject(const struct stream *s, struct buf *out);

/** One certificate of the chain. */
struct tls_peer_link {
    struct str subject;                  // RFC 4514, in UTF-8
    struct str spki_sha256, cert_sha256; // in lower-case hex
};

/** Call fn for each certificate that the other side has shown, its own first. After a session has
 * been resumed that is the only one that is still known.
 * @param link  borrowed until fn returns */
void tls_peer_for_each_link(const struct stream *s,
                            void (*fn)(void *arg, const struct tls_peer_link *link), void *arg);

/** Call fn for each alternative name of a kind, in the order of the certificate.
 * @param name  borrowed until fn returns */
void tls_peer_for_each_name(const struct stream *s, enum tls_peer_name kind,
                            void (*fn)(void *arg, struct str name), void *arg);
