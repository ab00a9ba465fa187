/* SPDX-License-Identifier: Apache-2.0 */
/* What a `tls` block asks for. Plain data: auth/tls_block.c fills it, io/tls_context.c makes
 * something of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A certificate, with its chain, and its key: files in PEM. */
struct tls_pair {
    const char *cert_file;
    const char *key_file;
};

/** Several of them; owned, strings as well. */
struct tls_pairs {
    struct tls_pair *at;
    size_t n;
};

#define TLS_PIN_BYTES 32

/** SHA-256 digests of public keys (SubjectPublicKeyInfo in DER); owned. */
struct tls_pins {
    uint8_t (*at)[TLS_PIN_BYTES];
    size_t n;
};

enum tls_min_version {
    TLS_MIN_1_2,
    TLS_MIN_1_3,
};

/** Whether the handshake comes before INFO. */
struct tls_first {
    bool is_on;
    int64_t fallback_ns; // so long is waited for it; then INFO is sent in the clear. 0: for ever
};

struct tls_options {
    bool is_on;             // there is a block, be it empty
    const char *cert_file;  // "" or NULL: none
    const char *key_file;   // likewise
    struct tls_pairs certs; // instead of the two; chosen by the name that a client asks for
    const char *ca_file;    // "" or NULL: those of the system
    bool verify;            // clients must show a certificate
    bool verify_and_map;    // likewise, and it names the user
    bool check_known_urls;  // likewise, and it names a configured server
    bool insecure;          // outgoing: believe everybody
    int64_t timeout_ns;     // that a handshake may take
    uint64_t ciphers;       // of TLS 1.2: bits by place in tls_cipher_names; 0: the secure ones
    bool allows_insecure_ciphers;
    uint64_t curves; // bits by place in tls_curve_names; 0: all
    enum tls_min_version min_version;
    struct tls_first first;
    int64_t connection_rate_limit; // handshakes per second; 0 or less: any number
    bool wants_ocsp_peer;          // revoked certificates are to be found out
    struct tls_pins pins;          // public keys that clients may have; none: any
};

/** @return  whether the server has a certificate to show. Thread: any. */
static inline bool tls_options_have_certificate(const struct tls_options *o)
{
    return o->is_on && (o->certs.n || (o->cert_file && o->cert_file[0]));
}

/** @return  whether clients have to show a certificate. Thread: any. */
static inline bool tls_options_verify(const struct tls_options *o)
{
    return o->verify || o->verify_and_map || o->check_known_urls;
}
