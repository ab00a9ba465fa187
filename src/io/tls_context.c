/* SPDX-License-Identifier: Apache-2.0 */
/* From options to an SSL_CTX. Where OpenSSL could remember things per connection it is told not to:
 * an idle connection keeps no buffers, and sessions are resumed by tickets that the client keeps.
 */
#include "io/tls_context.h"

#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/mem.h"
#include "io/tls_context_priv.h"
#include "io/tls_error_priv.h"
#include "io/tls_names.h"

#define READ_BUFFER_BYTES (32u << 10) // two full records: fewer reads when there is much to read

static bool is_given(const char *text)
{
    return text && text[0];
}

/* ---- names */

static void add_separated(struct buf *list, const char *separator, const char *name)
{
    if (list->n) {
        buf_add(list, str_of(separator));
    }
    buf_add(list, str_of(name));
}

/* The suites that a configuration names, as far as this OpenSSL has them; none of TLS 1.2 means
 * that only TLS 1.3 is left, whose suites cannot be chosen. */
static enum status set_ciphers(SSL_CTX *ssl, const struct tls_options *o)
{
    struct buf list = {0};

    for (size_t i = 0; i < tls_n_cipher_names; i++) {
        const struct tls_name *c = &tls_cipher_names[i];
        bool is_chosen = o->ciphers ? (o->ciphers >> i & 1) : !c->is_insecure;

        if (is_chosen && c->openssl) {
            add_separated(&list, ":", c->openssl);
        }
    }
    buf_add_char(&list, 0);
    bool is_ok = list.n > 1 && SSL_CTX_set_cipher_list(ssl, list.p) == 1;
    buf_deinit(&list);
    if (!is_ok && SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) != 1) {
        return ST_FAILED;
    }
    is_ok = SSL_CTX_set_ciphersuites(ssl, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                          "TLS_CHACHA20_POLY1305_SHA256") == 1;
    return is_ok ? ST_OK : ST_FAILED;
}

/* As SSL_CTX_set1_groups_list, which cannot be called with a const. */
static bool set_groups(SSL_CTX *ssl, const char *list)
{
    return SSL_CTX_ctrl(ssl, SSL_CTRL_SET_GROUPS_LIST, 0, (char *)(uintptr_t)list) == 1;
}

static enum status set_curves(SSL_CTX *ssl, const struct tls_options *o)
{
    struct buf list = {0};

    for (size_t i = 0; i < tls_n_curve_names; i++) {
        const struct tls_name *c = &tls_curve_names[i];

        if ((!o->curves || (o->curves >> i & 1)) && set_groups(ssl, c->openssl)) {
            add_separated(&list, ":", c->openssl);
        }
    }
    ERR_clear_error();
    buf_add_char(&list, 0);
    bool is_ok = list.n > 1 && set_groups(ssl, list.p);
    buf_deinit(&list);
    return is_ok ? ST_OK : ST_FAILED;
}

/* ---- certificates */

static enum status check_pair(const struct tls_options *o, struct diag *d,
                              const struct diag_place *at)
{
    if (o->certs.n && is_given(o->cert_file)) {
        diag_error(d, at,
                   "error parsing tls config, cannot combine 'cert_file' option with 'certs' "
                   "option");
    } else if (is_given(o->cert_file) && !is_given(o->key_file)) {
        diag_error(d, at, "missing 'key_file' in TLS configuration");
    } else if (is_given(o->key_file) && !is_given(o->cert_file)) {
        diag_error(d, at, "missing 'cert_file' in TLS configuration");
    } else {
        return ST_OK;
    }
    return ST_FAILED;
}

/* Reads them all; which = "" or " 2/3". */
static enum status load_certs(struct tls_context *c, const struct tls_options *o, struct buf *why)
{
    struct tls_pair single = {.cert_file = o->cert_file, .key_file = o->key_file};
    const struct tls_pair *pairs = o->certs.n ? o->certs.at : &single;
    size_t n = o->certs.n ? o->certs.n : is_given(o->cert_file);

    c->certs = mem_zalloc((n + 1) * sizeof(*c->certs));
    for (size_t i = 0; i < n; i++) {
        struct buf reason = {0};
        enum status st = tls_cert_load(&pairs[i], &c->certs[i], &reason);

        if (st != ST_OK) {
            buf_add(why, STR("error parsing X509 certificate/key pair"));
            if (o->certs.n) {
                buf_printf(why, " %zu/%zu", i + 1, n);
            }
            buf_printf(why, ": %.*s", STR_ARG(buf_str(&reason)));
            buf_deinit(&reason);
            return st;
        }
        c->n_certs = i + 1;
    }
    const struct tls_cert *first = &c->certs[0];
    if (n && SSL_CTX_use_cert_and_key(c->ssl, first->leaf, first->key, first->chain, 1) != 1) {
        buf_printf(why, "error parsing X509 certificate/key pair: %s",
                   ERR_reason_error_string(ERR_peek_last_error()));
        return ST_FAILED;
    }
    return ST_OK;
}

/* Whom to trust, and whom to name to clients as such. */
static enum status load_roots(SSL_CTX *ssl, const struct tls_options *o, struct buf *why)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ssl);
    STACK_OF(X509) *roots = NULL;

    if (!is_given(o->ca_file)) {
        return !tls_options_verify(o) || SSL_CTX_set_default_verify_paths(ssl) ? ST_OK : ST_FAILED;
    }
    enum status st = tls_cert_load_roots(o->ca_file, &roots, why);
    for (int i = 0; st == ST_OK && i < sk_X509_num(roots); i++) {
        X509_STORE_add_cert(store, sk_X509_value(roots, i));
        SSL_CTX_add_client_CA(ssl, sk_X509_value(roots, i));
    }
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN); // what is in the file is trusted as is
    sk_X509_pop_free(roots, X509_free);
    return st;
}

/* Chooses a certificate by the name that the client asks for; the first if none fits. */
static int on_choose_cert(SSL *ssl, void *arg)
{
    const struct tls_context *c = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const struct tls_cert *best = &c->certs[0];

    for (size_t i = 0; name && i < c->n_certs; i++) {
        if (X509_check_host(c->certs[i].leaf, name, 0, 0, NULL) == 1) {
            best = &c->certs[i];
            break;
        }
    }
    return SSL_use_cert_and_key(ssl, best->leaf, best->key, best->chain, 1);
}

/* ---- life */

static void set_modes(SSL_CTX *ssl)
{
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_security_level(ssl, 1); // certificates that the reference takes are good enough
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ssl, 1);
    SSL_CTX_set_read_ahead(ssl, 1);
    SSL_CTX_set_default_read_buffer_len(ssl, READ_BUFFER_BYTES);
}

static enum status configure(struct tls_context *c, const struct tls_options *o, struct buf *why)
{
    int min = o->min_version == TLS_MIN_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
    static const unsigned char id[] = "gnatwren";

    set_modes(c->ssl);
    if (SSL_CTX_set_min_proto_version(c->ssl, min) != 1 || set_ciphers(c->ssl, o) != ST_OK ||
        SSL_CTX_set_session_id_context(c->ssl, id, sizeof(id) - 1) != 1) {
        buf_printf(why, "TLS is not available: %s", ERR_reason_error_string(ERR_peek_last_error()));
        return ST_FAILED;
    }
    if (set_curves(c->ssl, o) != ST_OK) {
        buf_printf(why, "none of the 'curve_preferences' is known to %s",
                   OpenSSL_version(OPENSSL_VERSION));
        return ST_FAILED;
    }
    enum status st = load_certs(c, o, why);
    if (st == ST_OK) {
        st = load_roots(c->ssl, o, why);
    }
    if (st == ST_OK && c->n_certs > 1) {
        SSL_CTX_set_cert_cb(c->ssl, on_choose_cert, c);
    }
    if (st == ST_OK && tls_options_verify(o)) {
        SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           tls_error_on_verify);
    }
    return st;
}

static void copy_pins(struct tls_context *c, const struct tls_pins *pins)
{
    if (pins->n) {
        c->pins.at = mem_alloc(pins->n * sizeof(*pins->at));
        memcpy(c->pins.at, pins->at, pins->n * sizeof(*pins->at));
        c->pins.n = pins->n;
    }
}

enum status tls_context_new(const struct tls_options *o, struct diag *d,
                            const struct diag_place *at, struct tls_context **out)
{
    struct buf why = {0};

    if (check_pair(o, d, at) != ST_OK) {
        return ST_FAILED;
    }
    struct tls_context *c = mem_zalloc(sizeof(*c));
    c->n_refs = 1;
    c->ssl = SSL_CTX_new(TLS_server_method());
    ENSURE(c->ssl);
    tls_tickets_init(&c->tickets, clock_now_ns());
    tls_tickets_use(&c->tickets, c->ssl);
    enum status st = configure(c, o, &why);
    ERR_clear_error();
    if (st == ST_OK) {
        copy_pins(c, &o->pins);
        *out = c;
    } else {
        diag_error(d, at, "%.*s", STR_ARG(buf_str(&why)));
        tls_context_unref(c);
    }
    buf_deinit(&why);
    return st;
}

struct tls_context *tls_context_ref(struct tls_context *c)
{
    atomic_fetch_add_explicit(&c->n_refs, 1, memory_order_relaxed);
    return c;
}

int64_t tls_context_not_after_ns(const struct tls_context *c)
{
    struct tm tm;

    if (c->n_certs == 0 || !ASN1_TIME_to_tm(X509_get0_notAfter(c->certs[0].leaf), &tm)) {
        return 0;
    }
    return (int64_t)timegm(&tm) * CLOCK_SEC_NS;
}

void tls_context_unref(struct tls_context *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->n_refs, 1, memory_order_acq_rel) > 1) {
        return;
    }
    SSL_CTX_free(c->ssl);
    tls_tickets_deinit(&c->tickets);
    for (size_t i = 0; i < c->n_certs; i++) {
        tls_cert_deinit(&c->certs[i]);
    }
    mem_free(c->certs);
    mem_free(c->pins.at);
    mem_free(c);
}
