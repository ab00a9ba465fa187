/* SPDX-License-Identifier: Apache-2.0 */
/* Why a handshake failed, in the words that operators of nats-server know. */
#pragma once

#include <openssl/types.h>

#include "base/buf.h"

/** What a failure is to the log. */
enum tls_failure {
    TLS_FAILURE_OF_HANDSHAKE,
    TLS_FAILURE_NOT_TLS, // those were no bytes of TLS: noise
};

/**
 * Take note of why a certificate is no good, while OpenSSL still knows it. A callback of
 * SSL_CTX_set_verify; the SSL's app data is a struct buf for the text.
 */
int tls_error_on_verify(int is_ok, X509_STORE_CTX *store);

/**
 * Say why SSL_do_handshake failed, and empty OpenSSL's queue of errors.
 * @param result     of SSL_do_handshake
 * @param sys_error  errno after it
 * @param out        appended to; if tls_error_on_verify wrote a text there, that is the reason
 * Thread: the one that called SSL_do_handshake.
 */
enum tls_failure tls_error_explain(SSL *ssl, int result, int sys_error, struct buf *out);
