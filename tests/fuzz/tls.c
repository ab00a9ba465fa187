/* SPDX-License-Identifier: Apache-2.0 */
/* Input: how the bytes of a TLS connection travel. First two bytes: how much either side has to
 * say; then, in turn, how many bytes get to the server and to the client next. 0: a bit of the next
 * piece is spoiled. Both sides hear what the other said, or, of a spoiled connection, what it began
 * with; and the server is told of the handshake just once. */
#include "io/tls_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "fuzz.h"
#include "io/tls_context.h"
#include "io/tls_options.h"
#include "io/worker.h"

#define UNIT_BYTES 300u    // what a side has to say is a multiple of this
#define MOST_PIECE 20000u  // [bytes] more than a record
#define MOST_QUIET_STEPS 4 // without a byte on the way: nothing more will come

/** One side's speech. */
struct speech {
    size_t n, sent, heard;
    bool is_spoiled;
};

static struct worker worker;
static struct tls_context *context;
static SSL_CTX *client_context;

static struct {
    struct stream stream;
    int n_secured;
    bool is_closed;
    bool is_over;
} server;

static struct speech to_server;
static struct speech to_client;

static char said(size_t at)
{
    return (char)(at * 7 + at / 251);
}

static void hear(struct speech *s, const char *p, size_t n)
{
    ENSURE(s->heard + n <= s->n);
    for (size_t i = 0; i < n; i++) {
        ENSURE(p[i] == said(s->heard + i));
    }
    s->heard += n;
}

static size_t say(const struct speech *s, char *out, size_t most)
{
    size_t n = s->n - s->sent < most ? s->n - s->sent : most;

    for (size_t i = 0; i < n; i++) {
        out[i] = said(s->sent + i);
    }
    return n;
}

/* ---- the server */

static void on_readable(struct stream *s)
{
    UNINITIALIZED char p[1000];
    struct iovec iov = {.iov_base = p, .iov_len = sizeof(p)};
    ssize_t n = stream_read(s, &iov, 1);

    if (n > 0) {
        hear(&to_server, p, (size_t)n);
    } else if (n != -EAGAIN) {
        server.is_over = true;
        stream_want(s, false, false);
    }
}

static void on_writable(struct stream *s)
{
    UNINITIALIZED char p[MOST_PIECE];
    struct iovec iov = {.iov_base = p, .iov_len = say(&to_client, p, sizeof(p))};
    ssize_t n = iov.iov_len ? stream_write(s, &iov, 1) : 0;

    if (n > 0) {
        to_client.sent += (size_t)n;
    } else if (n < 0 && n != -EAGAIN) {
        server.is_over = true;
    }
    stream_want(s, s->wants_read, !server.is_over && to_client.sent < to_client.n);
}

static void on_broken(struct stream *s)
{
    server.is_over = true;
    stream_want(s, false, false);
}

static void on_secured(struct stream *s, enum status st, const char *why_not)
{
    ENSURE((st == ST_OK) == (why_not == NULL) && stream_is_secured(s) == (st == ST_OK));
    ENSURE(++server.n_secured == 1);
    if (st == ST_OK) {
        stream_want(s, true, true);
    } else {
        server.is_over = true;
        stream_want(s, false, false);
    }
}

static void on_closed(struct stream *s)
{
    (void)s;
    server.is_closed = true;
}

static const struct stream_events events = {
    .on_readable = on_readable,
    .on_writable = on_writable,
    .on_broken = on_broken,
    .on_secured = on_secured,
    .on_closed = on_closed,
};

/* ---- the client: OpenSSL between two memories */

static void step_client(SSL *ssl)
{
    UNINITIALIZED char p[MOST_PIECE];

    ERR_clear_error();
    if (SSL_do_handshake(ssl) != 1) {
        return;
    }
    size_t n = say(&to_server, p, sizeof(p));
    int r = n ? SSL_write(ssl, p, (int)n) : 0;
    to_server.sent += r > 0 ? (size_t)r : 0;
    while ((r = SSL_read(ssl, p, sizeof(p))) > 0) {
        hear(&to_client, p, (size_t)r);
    }
}

/* ---- between them */

static void spoil(char *p, size_t n, struct speech *s, bool *is_due)
{
    if (*is_due && n) {
        p[n / 2] ^= 0x10;
        s->is_spoiled = true;
        *is_due = false;
    }
}

/* @return  [bytes] moved to the server */
static size_t move_in(SSL *ssl, int fd, size_t most, bool *is_due)
{
    UNINITIALIZED char p[MOST_PIECE];
    int n = BIO_read(SSL_get_wbio(ssl), p, (int)most);

    if (n <= 0) {
        return 0;
    }
    spoil(p, (size_t)n, &to_server, is_due);
    ENSURE(write(fd, p, (size_t)n) == n || errno == EPIPE); // it reads everything at once
    return (size_t)n;
}

/* @return  [bytes] moved to the client */
static size_t move_out(SSL *ssl, int fd, size_t most, bool *is_due)
{
    UNINITIALIZED char p[MOST_PIECE];
    ssize_t n = read(fd, p, most);

    if (n <= 0) {
        return 0;
    }
    spoil(p, (size_t)n, &to_client, is_due);
    ENSURE(BIO_write(SSL_get_rbio(ssl), p, (int)n) == n);
    return (size_t)n;
}

static void run_loop(void)
{
    for (int i = 0; i < 4; i++) { // what may wait for another turn takes one
        uv_run(&worker.loop, UV_RUN_NOWAIT);
    }
}

static size_t piece_bytes(uint8_t byte)
{
    return byte < 64 ? byte : byte < 192 ? (byte - 63) * 16u : (byte - 191) * 300u;
}

static void travel(SSL *ssl, int fd, const uint8_t *data, size_t n)
{
    bool is_due = false;
    int n_quiet = 0;

    for (size_t i = 0; i < n || n_quiet < MOST_QUIET_STEPS; i++) {
        size_t most = i < n ? piece_bytes(data[i]) : MOST_PIECE;

        step_client(ssl);
        run_loop();
        is_due |= most == 0;
        size_t moved = !most   ? 0
                       : i & 1 ? move_out(ssl, fd, most, &is_due)
                               : move_in(ssl, fd, most, &is_due);
        n_quiet = moved || i < n ? 0 : n_quiet + 1;
    }
}

/* ---- set-up */

static void make_certificate(const char *cert_file, const char *key_file)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    FILE *f;

    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 24L * 3600);
    X509_set_pubkey(x, key);
    ENSURE(X509_sign(x, key, EVP_sha256()) > 0);
    f = fopen(cert_file, "w");
    ENSURE(f && PEM_write_X509(f, x));
    (void)fclose(f);
    f = fopen(key_file, "w");
    ENSURE(f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL));
    (void)fclose(f);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void prepare(void)
{
    char cert_file[] = "/tmp/fuzz_tls.cert.XXXXXX";
    char key_file[] = "/tmp/fuzz_tls.key.XXXXXX";
    const struct tls_options o = {.is_on = true, .cert_file = cert_file, .key_file = key_file};
    struct diag d = {0};

    (void)signal(SIGPIPE, SIG_IGN);
    close(mkstemp(cert_file));
    close(mkstemp(key_file));
    make_certificate(cert_file, key_file);
    ENSURE(tls_context_new(&o, &d, NULL, &context) == ST_OK);
    (void)unlink(cert_file);
    (void)unlink(key_file);
    ENSURE(worker_init(&worker, 0) == ST_OK);
    client_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(client_context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    int fds[2];

    if (!context) {
        prepare();
    }
    if (n < 2) {
        return 0;
    }
    to_server = (struct speech){.n = data[0] * UNIT_BYTES};
    to_client = (struct speech){.n = data[1] * UNIT_BYTES};
    memset(&server, 0, sizeof(server));
    ENSURE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    ENSURE(stream_open(&server.stream, &worker, fds[0], &stream_plain_ops, &events) == ST_OK);
    stream_start_tls(&server.stream, context);
    SSL *ssl = SSL_new(client_context);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl);

    travel(ssl, fds[1], data + 2, n - 2);
    if (!to_server.is_spoiled && !to_client.is_spoiled) {
        ENSURE(server.n_secured == 1 && stream_is_secured(&server.stream) && !server.is_over);
        ENSURE(to_server.heard == to_server.n && to_client.heard == to_client.n);
    }
    stream_close(&server.stream);
    while (!server.is_closed) {
        uv_run(&worker.loop, UV_RUN_NOWAIT);
    }
    SSL_free(ssl);
    close(fds[1]);
    return 0;
}
