/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL by itself draws one key per context, which would be good until the next reload: whoever
 * got it from our memory could read what was said since the start. */
#include "io/tls_tickets_priv.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "base/attr.h"

#define IV_BYTES 16 // of AES in CBC mode

static void draw(struct tls_ticket_key *out)
{
    unsigned char *p = (unsigned char *)out;

    ENSURE(RAND_bytes(p, sizeof(*out)) == 1); // as for all that OpenSSL draws, it cannot fail
}

/* With the lock held: moves on to the key of this day. */
static void rotate(struct tls_tickets *t, int64_t now_ns)
{
    int64_t age_ns = now_ns - t->now_since_ns;

    if (age_ns < TLS_TICKET_KEY_NS) {
        return;
    }
    if (age_ns < 2 * TLS_TICKET_KEY_NS) {
        t->before = t->now;
    } else {
        draw(&t->before); // nobody asked for a day: the present one is too old to open anything
    }
    draw(&t->now);
    t->now_since_ns = now_ns;
}

void tls_tickets_init(struct tls_tickets *t, int64_t now_ns)
{
    pthread_mutex_init(&t->lock, NULL);
    draw(&t->now);
    draw(&t->before);
    t->now_since_ns = now_ns;
}

void tls_tickets_deinit(struct tls_tickets *t)
{
    OPENSSL_cleanse(&t->now, sizeof(t->now));
    OPENSSL_cleanse(&t->before, sizeof(t->before));
    pthread_mutex_destroy(&t->lock);
}

void tls_tickets_get(struct tls_tickets *t, int64_t now_ns, struct tls_ticket_key *out)
{
    pthread_mutex_lock(&t->lock);
    rotate(t, now_ns);
    *out = t->now;
    pthread_mutex_unlock(&t->lock);
}

bool tls_tickets_find(struct tls_tickets *t, const unsigned char *name, int64_t now_ns,
                      struct tls_ticket_key *out, bool *is_old)
{
    const struct tls_ticket_key *found = NULL;

    pthread_mutex_lock(&t->lock);
    rotate(t, now_ns);
    if (memcmp(name, t->now.name, TLS_TICKET_NAME_BYTES) == 0) {
        found = &t->now;
    } else if (memcmp(name, t->before.name, TLS_TICKET_NAME_BYTES) == 0) {
        found = &t->before;
    }
    if (found) {
        *out = *found;
        *is_old = found == &t->before;
    }
    pthread_mutex_unlock(&t->lock);
    return found;
}

static bool set_mac(EVP_MAC_CTX *mac, struct tls_ticket_key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* As SSL_CTX_set_tlsext_ticket_key_evp_cb has it. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int seals)
{
    struct tls_tickets *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct tls_ticket_key key;
    bool is_old = false;
    bool is_ok;

    if (seals) {
        tls_tickets_get(t, clock_now_ns(), &key);
        memcpy(name, key.name, sizeof(key.name));
        is_ok = RAND_bytes(iv, IV_BYTES) == 1 &&
                EVP_EncryptInit_ex2(cipher, EVP_aes_256_cbc(), key.aes, iv, NULL) == 1;
    } else {
        if (!tls_tickets_find(t, name, clock_now_ns(), &key, &is_old)) {
            return 0; // the handshake goes on without it
        }
        is_ok = EVP_DecryptInit_ex2(cipher, EVP_aes_256_cbc(), key.aes, iv, NULL) == 1;
    }
    is_ok = is_ok && set_mac(mac, &key);
    OPENSSL_cleanse(&key, sizeof(key));
    return !is_ok ? -1 : is_old ? 2 : 1;
}

void tls_tickets_use(struct tls_tickets *t, SSL_CTX *ssl)
{
    SSL_CTX_set_app_data(ssl, t);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, on_ticket);
}
