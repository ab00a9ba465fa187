/* SPDX-License-Identifier: Apache-2.0 */
/* What a secured stream knows of the other side. */
#include <string.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "io/tls_context_priv.h"
#include "io/tls_session_priv.h"
#include "io/tls_stream.h"

bool stream_is_secured(const struct stream *s)
{
    return s->tls && s->tls->is_secured;
}

const char *stream_tls_version(const struct stream *s)
{
    if (!stream_is_secured(s)) {
        return NULL;
    }
    return SSL_version(s->tls->ssl) == TLS1_3_VERSION ? "1.3" : "1.2";
}

const char *stream_tls_cipher(const struct stream *s)
{
    return stream_is_secured(s) ? SSL_CIPHER_standard_name(SSL_get_current_cipher(s->tls->ssl))
                                : NULL;
}

static X509 *certificate_of(const struct stream *s)
{
    return stream_is_secured(s) ? SSL_get0_peer_certificate(s->tls->ssl) : NULL;
}

bool tls_peer_certificate(const struct stream *s, struct buf *out)
{
    X509 *x = certificate_of(s);
    int n = x ? i2d_X509(x, NULL) : -1;

    if (n < 0) {
        return false;
    }
    unsigned char *p = (unsigned char *)buf_reserve(out, (size_t)n);
    i2d_X509(x, &p);
    out->n += (size_t)n;
    return true;
}

bool tls_peer_is_pinned(const struct stream *s, const struct tls_context *context)
{
    const struct tls_pins *pins = &context->pins;
    X509 *x = s->tls ? SSL_get0_peer_certificate(s->tls->ssl) : NULL; // maybe not secured yet
    unsigned char *der = NULL;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (pins->n == 0) {
        return true;
    }
    int der_n = x ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der) : -1;
    if (der_n < 0 || EVP_Digest(der, (size_t)der_n, digest, &n, EVP_sha256(), NULL) != 1) {
        n = 0;
    }
    OPENSSL_free(der);
    for (size_t i = 0; i < pins->n && n == TLS_PIN_BYTES; i++) {
        if (memcmp(pins->at[i], digest, TLS_PIN_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

static bool add_subject(const X509 *x, unsigned long flags, struct buf *out)
{
    BIO *text = BIO_new(BIO_s_mem());
    char *p = NULL;

    if (!text) {
        return false;
    }
    X509_NAME_print_ex(text, X509_get_subject_name(x), 0, flags);
    long n = BIO_get_mem_data(text, &p);
    buf_add(out, (struct str){.p = p, .n = (size_t)n});
    BIO_free(text);
    return true;
}

bool tls_peer_subject(const struct stream *s, struct buf *out)
{
    const X509 *x = certificate_of(s);

    return x && add_subject(x, XN_FLAG_RFC2253, out);
}

#define DIGEST_HEX (2 * SHA256_DIGEST_LENGTH)

/* @return  in `hex`; empty if it cannot be had */
static struct str hex_digest(const unsigned char *der, int n, char hex[DIGEST_HEX])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[SHA256_DIGEST_LENGTH];

    if (n < 0 || EVP_Digest(der, (size_t)n, digest, NULL, EVP_sha256(), NULL) != 1) {
        return (struct str){0};
    }
    for (size_t i = 0; i < sizeof(digest); i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    return (struct str){.p = hex, .n = DIGEST_HEX};
}

static void tell_link(X509 *x, void (*fn)(void *arg, const struct tls_peer_link *link), void *arg)
{
    char spki_hex[DIGEST_HEX];
    char cert_hex[DIGEST_HEX];
    unsigned char *spki = NULL;
    unsigned char *cert = NULL;
    struct buf subject = {0};
    int spki_n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
    int cert_n = i2d_X509(x, &cert);

    add_subject(x, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB, &subject);
    fn(arg, &(struct tls_peer_link){.subject = buf_str(&subject),
                                    .spki_sha256 = hex_digest(spki, spki_n, spki_hex),
                                    .cert_sha256 = hex_digest(cert, cert_n, cert_hex)});
    OPENSSL_free(spki);
    OPENSSL_free(cert);
    buf_deinit(&subject);
}

void tls_peer_for_each_link(const struct stream *s,
                            void (*fn)(void *arg, const struct tls_peer_link *link), void *arg)
{
    X509 *own = certificate_of(s);
    STACK_OF(X509) *others = own ? SSL_get_peer_cert_chain(s->tls->ssl) : NULL; // without `own`

    if (own) {
        tell_link(own, fn, arg);
    }
    for (int i = 0; i < sk_X509_num(others); i++) {
        tell_link(sk_X509_value(others, i), fn, arg);
    }
}

void tls_peer_for_each_name(const struct stream *s, enum tls_peer_name kind,
                            void (*fn)(void *arg, struct str name), void *arg)
{
    static const int types[] = {
        [TLS_PEER_EMAIL] = GEN_EMAIL, [TLS_PEER_DNS] = GEN_DNS, [TLS_PEER_URI] = GEN_URI};
    X509 *x = certificate_of(s);
    GENERAL_NAMES *names = x ? X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL) : NULL;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == types[kind]) {
            const ASN1_IA5STRING *text = name->d.ia5;

            fn(arg, (struct str){.p = (const char *)ASN1_STRING_get0_data(text),
                                 .n = (size_t)ASN1_STRING_length(text)});
        }
    }
    GENERAL_NAMES_free(names);
}
