/* SPDX-License-Identifier: Apache-2.0 */
/* Reading PEM files. What is wrong with one is found out by looking at what it holds instead:
 * OpenSSL only says that the thing looked for is not there. */
#include "io/tls_cert_priv.h"

#include <errno.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/os_error.h"

/* A key with a password is one that we cannot use: never ask at the terminal. */
// NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL wants this type
static int no_password(char *out, int size, int is_writing, void *arg)
{
    (void)out;
    (void)size;
    (void)is_writing;
    (void)arg;
    return 0;
}

static enum status open_file(const char *path, BIO **out, struct buf *why)
{
    errno = 0;
    *out = BIO_new_file(path, "r");
    if (*out) {
        return ST_OK;
    }
    buf_printf(why, "open %s: %s", path, os_error(errno ? errno : ENOENT).text);
    return ST_FAILED;
}

/* What a PEM file holds instead of what was looked for: the name of its first block, or "". */
static void first_block(BIO *file, char *name, size_t size)
{
    char *found = NULL;
    char *header = NULL;
    unsigned char *data = NULL;
    long n = 0;

    name[0] = 0;
    BIO_seek(file, 0);
    if (PEM_read_bio(file, &found, &header, &data, &n)) {
        snprintf(name, size, "%s", found);
        OPENSSL_free(found);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, (size_t)n);
    }
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t n_end = strlen(end);

    return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

static void explain_no_certificate(BIO *file, struct buf *why)
{
    char name[80];

    first_block(file, name, sizeof(name));
    if (!name[0]) {
        buf_add(why, STR("tls: failed to find any PEM data in certificate input"));
    } else if (ends_with(name, "PRIVATE KEY")) {
        buf_add(why, STR("tls: failed to find certificate PEM data in certificate input, but did "
                         "find a private key; PEM inputs may have been switched"));
    } else if (strcmp(name, "CERTIFICATE") == 0) {
        buf_add(why, STR("x509: malformed certificate"));
    } else {
        buf_printf(why,
                   "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after "
                   "skipping PEM blocks of the following types: [%s]",
                   name);
    }
}

static void explain_no_key(BIO *file, struct buf *why)
{
    char name[80];

    first_block(file, name, sizeof(name));
    if (!name[0]) {
        buf_add(why, STR("tls: failed to find any PEM data in key input"));
    } else if (strcmp(name, "CERTIFICATE") == 0) {
        buf_add(why, STR("tls: found a certificate rather than a key in the PEM for the private "
                         "key"));
    } else {
        buf_add(why, STR("tls: failed to parse private key"));
    }
}

/* The certificates of a file, from where it stands to its end. */
static STACK_OF(X509) * read_all(BIO *file)
{
    STACK_OF(X509) *all = NULL;
    X509 *x;

    while ((x = PEM_read_bio_X509(file, NULL, no_password, NULL))) {
        if (!all) {
            all = sk_X509_new_null();
        }
        ENSURE(all && sk_X509_push(all, x) > 0);
    }
    ERR_clear_error(); // that there are no more
    return all;
}

static enum status load_leaf(const char *path, struct tls_cert *out, struct buf *why)
{
    BIO *file;
    enum status st = open_file(path, &file, why);

    if (st != ST_OK) {
        return st;
    }
    out->leaf = PEM_read_bio_X509(file, NULL, no_password, NULL);
    if (out->leaf) {
        out->chain = read_all(file);
    } else {
        explain_no_certificate(file, why);
        st = ST_FAILED;
    }
    BIO_free(file);
    return st;
}

static enum status load_key(const char *path, struct tls_cert *out, struct buf *why)
{
    BIO *file;
    enum status st = open_file(path, &file, why);

    if (st != ST_OK) {
        return st;
    }
    out->key = PEM_read_bio_PrivateKey(file, NULL, no_password, NULL);
    if (!out->key) {
        explain_no_key(file, why);
        st = ST_FAILED;
    }
    BIO_free(file);
    return st;
}

enum status tls_cert_load(const struct tls_pair *pair, struct tls_cert *out, struct buf *why)
{
    struct tls_cert c = {0};
    BIO *key_file = NULL;

    // a file that is not there is said before one that makes no sense
    enum status st = open_file(pair->cert_file, &key_file, why);
    BIO_free(key_file);
    if (st == ST_OK) {
        st = open_file(pair->key_file, &key_file, why);
        BIO_free(key_file);
    }
    if (st == ST_OK) {
        st = load_leaf(pair->cert_file, &c, why);
    }
    if (st == ST_OK) {
        st = load_key(pair->key_file, &c, why);
    }
    if (st == ST_OK && X509_check_private_key(c.leaf, c.key) != 1) {
        buf_add(why, STR("tls: private key does not match public key"));
        st = ST_FAILED;
    }
    ERR_clear_error();
    if (st == ST_OK) {
        *out = c;
    } else {
        tls_cert_deinit(&c);
    }
    return st;
}

void tls_cert_deinit(struct tls_cert *c)
{
    X509_free(c->leaf);
    sk_X509_pop_free(c->chain, X509_free);
    EVP_PKEY_free(c->key);
    *c = (struct tls_cert){0};
}

enum status tls_cert_load_roots(const char *path, STACK_OF(X509) * *out, struct buf *why)
{
    BIO *file;
    enum status st = open_file(path, &file, why);

    ERR_clear_error();
    if (st != ST_OK) {
        return st;
    }
    *out = read_all(file);
    BIO_free(file);
    if (!*out) {
        buf_add(why, STR("failed to parse root ca certificate"));
        return ST_FAILED;
    }
    return ST_OK;
}
