/* SPDX-License-Identifier: Apache-2.0 */
/* Reasons of failed handshakes. Why a certificate is no good has to be noted while it is verified,
 * the rest is read off OpenSSL's queue of errors afterwards. */
#include "io/tls_error_priv.h"

#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/attr.h"
#include "base/os_error.h"

#define ALERT_BASE 1000 // reasons above it are alerts of the other side

/* ---- certificates */

/* "(CN=name,O=company SHA-256: 12ab…)" */
static void add_identity(struct buf *out, X509 *x)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    BIO *subject = BIO_new(BIO_s_mem());
    char *text = NULL;

    ENSURE(subject);
    X509_NAME_print_ex(subject, X509_get_subject_name(x), 0, XN_FLAG_RFC2253);
    long text_n = BIO_get_mem_data(subject, &text);
    buf_printf(out, " (%.*s SHA-256: ", (int)text_n, text);
    BIO_free(subject);
    X509_digest(x, EVP_sha256(), digest, &n);
    for (unsigned i = 0; i < n; i++) {
        buf_printf(out, "%02x", digest[i]);
    }
    buf_add_char(out, ')');
}

static void add_time(struct buf *out, const struct tm *t)
{
    char text[32];

    size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", t);
    buf_add(out, (struct str){.p = text, .n = n});
}

static void add_validity(struct buf *out, X509 *x, int error)
{
    bool is_over = error == X509_V_ERR_CERT_HAS_EXPIRED;
    time_t now = time(NULL);
    struct tm t;

    buf_add(out, STR("certificate has expired or is not yet valid: current time "));
    gmtime_r(&now, &t);
    add_time(out, &t);
    buf_add(out, is_over ? STR(" is after ") : STR(" is before "));
    ASN1_TIME_to_tm(is_over ? X509_get0_notAfter(x) : X509_get0_notBefore(x), &t);
    add_time(out, &t);
}

static void explain_certificate(X509_STORE_CTX *store, struct buf *out)
{
    int error = X509_STORE_CTX_get_error(store);
    X509 *x = X509_STORE_CTX_get_current_cert(store);

    buf_add(out, STR("tls: failed to verify certificate: x509: "));
    switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        buf_add(out, STR("certificate signed by unknown authority"));
        x = X509_STORE_CTX_get0_cert(store);
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        add_validity(out, x, error);
        break;
    case X509_V_ERR_INVALID_PURPOSE:
        buf_add(out, STR("certificate specifies an incompatible key usage"));
        break;
    default:
        buf_add(out, str_of(X509_verify_cert_error_string(error)));
        break;
    }
    if (x) {
        add_identity(out, x);
    }
}

int tls_error_on_verify(int is_ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct buf *out = SSL_get_app_data(ssl);

    if (!is_ok && out && out->n == 0) {
        explain_certificate(store, out);
    }
    return is_ok;
}

/* ---- the rest */

/* The versions that a client must be thought to offer, from its best one down: "[302 301]". */
static void add_versions(struct buf *out, int best)
{
    buf_add(out, STR("tls: client offered only unsupported versions: ["));
    for (int v = best; v >= TLS1_VERSION; v--) {
        buf_printf(out, v == best ? "%x" : " %x", (unsigned)v);
    }
    buf_add_char(out, ']');
}

static void add_ciphers(struct buf *out, SSL *ssl)
{
    const unsigned char *list = NULL;
    size_t n = SSL_get0_raw_cipherlist(ssl, NULL) ? SSL_get0_raw_cipherlist(ssl, &list) : 0;

    buf_add(out, STR("tls: no cipher suite supported by both client and server; client offered: "
                     "["));
    for (size_t i = 0; list && i + 1 < n; i += 2) {
        buf_printf(out, i ? " %x" : "%x", (unsigned)(list[i] << 8 | list[i + 1]));
    }
    buf_add_char(out, ']');
}

static void add_alert(struct buf *out, int alert)
{
    const char *text = SSL_alert_desc_string_long(alert);

    if (alert == SSL_AD_UNKNOWN_CA) {
        text = "unknown certificate authority";
    }
    buf_printf(out, "remote error: tls: %s", text);
}

static enum tls_failure explain_reason(SSL *ssl, unsigned long error, struct buf *out)
{
    int reason = ERR_GET_REASON(error);
    const char *text = ERR_reason_error_string(error);

    if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason > ALERT_BASE) {
        add_alert(out, reason - ALERT_BASE);
        return TLS_FAILURE_OF_HANDSHAKE;
    }
    switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? reason : 0) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
        buf_add(out, STR("tls: first record does not look like a TLS handshake"));
        return TLS_FAILURE_NOT_TLS;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        buf_add(out, STR("tls: client didn't provide a certificate"));
        break;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
        add_versions(out, SSL_client_version(ssl));
        break;
    case SSL_R_NO_SHARED_CIPHER:
        add_ciphers(out, ssl);
        break;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        buf_add(out, STR("EOF"));
        break;
    default:
        buf_printf(out, "tls: %s", text ? text : "the handshake failed");
        break;
    }
    return TLS_FAILURE_OF_HANDSHAKE;
}

enum tls_failure tls_error_explain(SSL *ssl, int result, int sys_error, struct buf *out)
{
    int kind = SSL_get_error(ssl, result);
    unsigned long error = ERR_peek_error();
    enum tls_failure failure = TLS_FAILURE_OF_HANDSHAKE;

    if (out->n) {
        // tls_error_on_verify knew
    } else if (error) {
        failure = explain_reason(ssl, error, out);
    } else if (kind == SSL_ERROR_SYSCALL && sys_error) {
        buf_printf(out, "read: %s", os_error(sys_error).text);
    } else {
        buf_add(out, STR("EOF"));
    }
    ERR_clear_error();
    return failure;
}
