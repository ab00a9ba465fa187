/* SPDX-License-Identifier: Apache-2.0 */
/* io/tls_stream.h over a socket pair, against OpenSSL itself as the client. Both ends are stepped
 * in turn on one thread. */
#include "io/tls_stream.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "io/tls_context.h"
#include "io/tls_options.h"
#include "io/worker.h"

#define BIG_BYTES (1u << 20)
#define MOST_STEPS 20000

/* ---- certificates */

static char dir[] = "/tmp/test_tls.XXXXXX";
static EVP_PKEY *ca_key;
static X509 *ca;

/** A file in the folder of this test. */
struct path {
    char text[128];
};

static struct path file(const char *name, const char *end)
{
    struct path p;

    snprintf(p.text, sizeof(p.text), "%s/%s.%s", dir, name, end);
    return p;
}

static void add_extension(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(e);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static X509 *sign(const char *name, EVP_PKEY *key, long days)
{
    X509 *x = X509_new();
    X509_NAME *subject = X509_get_subject_name(x);
    bool is_root = ca == NULL;
    char names[256];

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), clock_now_ns());
    X509_gmtime_adj(X509_getm_notBefore(x), -2L * 24 * 3600);
    X509_gmtime_adj(X509_getm_notAfter(x), days * 24 * 3600);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const unsigned char *)"test", -1, -1,
                               0);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, is_root ? subject : X509_get_subject_name(ca));
    snprintf(names, sizeof(names), "DNS:%s.example,DNS:also.%s,email:me@%s,URI:nats://%s", name,
             name, name, name);
    add_extension(x, NID_basic_constraints, is_root ? "critical,CA:TRUE" : "CA:FALSE");
    if (!is_root) {
        add_extension(x, NID_subject_alt_name, names);
    }
    assert_true(X509_sign(x, is_root ? key : ca_key, EVP_sha256()) > 0);
    return x;
}

/* Writes <name>.pem and <name>.key. */
static void make_certificate(const char *name, long days)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = sign(name, key, days);
    FILE *f = fopen(file(name, "pem").text, "w");

    PEM_write_X509(f, x);
    fclose(f);
    f = fopen(file(name, "key").text, "w");
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    if (!ca) {
        ca = x;
        ca_key = key;
        return;
    }
    X509_free(x);
    EVP_PKEY_free(key);
}

/* ---- two ends */

static struct worker worker;

/** The server's end: its stream and what it was told. */
struct server {
    struct stream stream;
    struct buf got;
    size_t piece;   // [bytes] read at a time
    bool is_closed; // on_closed was called
    bool has_ended; // the end of input was read
    int error;      // of a read
    int n_secured;
    enum status st;
    struct buf why_not;
    struct str to_write;
    size_t n_iov; // pieces of a write
};

struct client {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
    struct buf got;
    struct str to_write;
    bool has_ended;
    bool has_failed;
    unsigned n_records;
};

static struct server server;
static struct client client;
static struct tls_options options;
static struct tls_context *context;

static void on_readable(struct stream *s)
{
    struct server *e = CONTAINER_OF(s, struct server, stream);
    struct iovec iov[2];
    char *p = buf_reserve(&e->got, e->piece);

    iov[0] = (struct iovec){.iov_base = p, .iov_len = e->piece / 2};
    iov[1] = (struct iovec){.iov_base = p + e->piece / 2, .iov_len = e->piece - e->piece / 2};
    ssize_t r = stream_read(s, iov, 2);
    if (r > 0) {
        e->got.n += (size_t)r;
    } else if (r == 0) {
        e->has_ended = true;
        stream_want(s, false, s->wants_write);
    } else if (r != -EAGAIN) {
        e->error = (int)r;
        stream_want(s, false, false);
    }
}

/* Offers what there is in n_iov pieces. */
static void on_writable(struct stream *s)
{
    struct server *e = CONTAINER_OF(s, struct server, stream);
    struct iovec iov[64];
    size_t n = e->n_iov;
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        size_t piece = i + 1 < n ? e->to_write.n / n : e->to_write.n - at;

        iov[i] =
            (struct iovec){.iov_base = (char *)(uintptr_t)e->to_write.p + at, .iov_len = piece};
        at += piece;
    }
    ssize_t r = e->to_write.n ? stream_write(s, iov, (int)n) : 0;
    assert_true(r >= 0 || r == -EAGAIN);
    if (r > 0) {
        e->to_write.p += r;
        e->to_write.n -= (size_t)r;
    }
    stream_want(s, s->wants_read, e->to_write.n > 0);
}

static void on_broken(struct stream *s)
{
    CONTAINER_OF(s, struct server, stream)->error = -EIO;
}

static void on_secured(struct stream *s, enum status st, const char *why_not)
{
    struct server *e = CONTAINER_OF(s, struct server, stream);

    e->n_secured++;
    e->st = st;
    buf_add(&e->why_not, str_of(why_not));
}

static void on_closed(struct stream *s)
{
    CONTAINER_OF(s, struct server, stream)->is_closed = true;
}

static const struct stream_events events = {
    .on_readable = on_readable,
    .on_writable = on_writable,
    .on_broken = on_broken,
    .on_secured = on_secured,
    .on_closed = on_closed,
};

static void note_result(int r)
{
    int kind = SSL_get_error(client.ssl, r);

    if (kind == SSL_ERROR_ZERO_RETURN) {
        client.has_ended = true;
    } else if (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE) {
        client.has_failed = true;
    }
}

static void step_client(void)
{
    UNINITIALIZED char buf[20000];

    if (!client.ssl || client.has_failed || client.has_ended) {
        return;
    }
    ERR_clear_error();
    int r = SSL_do_handshake(client.ssl);
    if (r == 1 && client.to_write.n) {
        r = SSL_write(client.ssl, client.to_write.p, (int)client.to_write.n);
        if (r > 0) {
            client.to_write.p += r;
            client.to_write.n -= (size_t)r;
        }
    }
    if (r <= 0) {
        note_result(r);
        return;
    }
    r = SSL_read(client.ssl, buf, sizeof(buf));
    if (r > 0) {
        buf_add(&client.got, (struct str){.p = buf, .n = (size_t)r});
    } else {
        note_result(r);
    }
}

static void step(void)
{
    step_client();
    uv_run(&worker.loop, UV_RUN_NOWAIT);
}

#define UNTIL(condition)                                                                           \
    for (int steps = 0; !(condition); steps++) {                                                   \
        assert_true(steps < MOST_STEPS);                                                           \
        step();                                                                                    \
    }

static void count_records(int is_write, int version, int type, const void *p, size_t n, SSL *ssl,
                          void *arg)
{
    (void)version;
    (void)ssl;
    if (!is_write && type == SSL3_RT_HEADER && n && *(const char *)p == SSL3_RT_APPLICATION_DATA) {
        ++*(unsigned *)arg;
    }
}

/* Connects the two ends, as the options say. */
static void open_ends(void)
{
    struct diag d = {0};
    int fds[2];

    assert_int_equal(tls_context_new(&options, &d, NULL, &context), ST_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    server = (struct server){.piece = 65536, .n_iov = 1};
    assert_int_equal(stream_open(&server.stream, &worker, fds[0], &stream_plain_ops, &events),
                     ST_OK);
    client = (struct client){.fd = fds[1], .ctx = SSL_CTX_new(TLS_client_method())};
    stream_start_tls(&server.stream, context);
    client.ssl = SSL_new(client.ctx);
    SSL_set_fd(client.ssl, client.fd);
    SSL_set_connect_state(client.ssl);
    SSL_set_mode(client.ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_msg_callback(client.ssl, count_records);
    SSL_set_msg_callback_arg(client.ssl, &client.n_records);
}

static void close_client(void)
{
    SSL_free(client.ssl);
    client.ssl = NULL;
    close(client.fd);
}

static void close_ends(void)
{
    stream_close(&server.stream);
    UNTIL(server.is_closed);
    if (client.ssl) {
        close_client();
    }
    SSL_CTX_free(client.ctx);
    buf_deinit(&client.got);
    buf_deinit(&server.got);
    buf_deinit(&server.why_not);
    tls_context_unref(context);
}

static char *random_bytes(size_t n)
{
    char *p = mem_alloc(n);
    uint64_t x = 88172645463325252u;

    for (size_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        p[i] = (char)x;
    }
    return p;
}

static int prepare(void **state)
{
    static struct path cert;
    static struct path key;

    (void)state;
    cert = file("server", "pem");
    key = file("server", "key");
    options = (struct tls_options){.is_on = true, .cert_file = cert.text, .key_file = key.text};
    return 0;
}

static void use_client_certificate(const char *name)
{
    assert_int_equal(SSL_use_certificate_file(client.ssl, file(name, "pem").text, SSL_FILETYPE_PEM),
                     1);
    assert_int_equal(SSL_use_PrivateKey_file(client.ssl, file(name, "key").text, SSL_FILETYPE_PEM),
                     1);
}

static void assert_why_not(const char *text)
{
    struct str why = buf_str(&server.why_not);

    if (!str_starts_with(why, str_of(text))) {
        fail_msg("%.*s", STR_ARG(why));
    }
}

/* ---- tests: the handshake */

static void shakes_hands(void **state)
{
    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        open_ends();
        SSL_set_max_proto_version(client.ssl, version);
        client.to_write = STR("hello");
        UNTIL(server.got.n == 5);
        assert_int_equal(server.n_secured, 1);
        assert_int_equal(server.st, ST_OK);
        assert_true(stream_is_secured(&server.stream));
        assert_string_equal(stream_tls_version(&server.stream),
                            version == TLS1_3_VERSION ? "1.3" : "1.2");
        assert_string_equal(stream_tls_cipher(&server.stream),
                            version == TLS1_3_VERSION ? "TLS_AES_128_GCM_SHA256"
                                                      : "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
        assert_false(tls_peer_certificate(&server.stream, &server.got));
        close_ends();
    }
}

static void tells_noise_from_tls(void **state)
{
    (void)state;
    open_ends();
    assert_int_equal(write(client.fd, "CONNECT {}\r\nPING\r\n", 18), 18);
    SSL_free(client.ssl);
    client.ssl = NULL;
    UNTIL(server.n_secured);
    assert_int_equal(server.st, ST_BAD_VALUE);
    assert_why_not("tls: first record does not look like a TLS handshake");
    assert_false(stream_is_secured(&server.stream));
    close(client.fd);
    close_ends();
}

static void notices_the_end(void **state)
{
    (void)state;
    open_ends();
    close_client();
    UNTIL(server.n_secured);
    assert_int_equal(server.st, ST_FAILED);
    assert_why_not("EOF");
    close_ends();
}

static void is_closed_before_the_handshake(void **state)
{
    (void)state;
    open_ends();
    step();
    stream_end_output(&server.stream);
    close_ends();
}

static void refuses_old_versions(void **state)
{
    (void)state;
    open_ends();
    SSL_set_security_level(client.ssl, 0);
    SSL_set_min_proto_version(client.ssl, TLS1_VERSION);
    SSL_set_max_proto_version(client.ssl, TLS1_1_VERSION);
    UNTIL(server.n_secured && client.has_failed);
    assert_why_not("tls: client offered only unsupported versions: [302 301]");
    close_ends();

    options.min_version = TLS_MIN_1_3;
    open_ends();
    SSL_set_max_proto_version(client.ssl, TLS1_2_VERSION);
    UNTIL(server.n_secured && client.has_failed);
    assert_why_not("tls: client offered only unsupported versions: [303");
    close_ends();
}

static void offers_chosen_suites(void **state)
{
    (void)state;
    options.ciphers = 1 << 5; // TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
    open_ends();
    SSL_set_max_proto_version(client.ssl, TLS1_2_VERSION);
    UNTIL(server.n_secured);
    assert_string_equal(stream_tls_cipher(&server.stream),
                        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    close_ends();
    open_ends();
    SSL_set_max_proto_version(client.ssl, TLS1_2_VERSION);
    SSL_set_cipher_list(client.ssl, "ECDHE-ECDSA-AES128-GCM-SHA256");
    UNTIL(server.n_secured);
    assert_why_not("tls: no cipher suite supported by both client and server; client offered: "
                   "[c02b");
    close_ends();
}

static void resumes_sessions(void **state)
{
    SSL_SESSION *session = NULL;

    (void)state;
    open_ends();
    server.to_write = STR("x");
    UNTIL(server.n_secured);
    stream_want(&server.stream, true, true);
    UNTIL(client.got.n); // the ticket comes before it
    session = SSL_get1_session(client.ssl);
    struct tls_context *first = tls_context_ref(context);
    SSL_shutdown(client.ssl);
    close_ends();

    open_ends();
    stream_close(&server.stream);
    UNTIL(server.is_closed);
    close_client();
    client.has_failed = client.has_ended = false;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    server.is_closed = false;
    assert_int_equal(stream_open(&server.stream, &worker, fds[0], &stream_plain_ops, &events),
                     ST_OK);
    stream_start_tls(&server.stream, first);
    client.fd = fds[1];
    client.ssl = SSL_new(client.ctx);
    SSL_set_fd(client.ssl, client.fd);
    SSL_set_connect_state(client.ssl);
    SSL_set_session(client.ssl, session);
    UNTIL(server.n_secured);
    assert_int_equal(SSL_session_reused(client.ssl), 1);
    SSL_SESSION_free(session);
    tls_context_unref(first);
    close_ends();
}

/* ---- tests: certificates */

static void asks_for_certificates(void **state)
{
    struct path roots = file("ca", "pem");

    (void)state;
    options.verify = true;
    options.ca_file = roots.text;
    open_ends();
    UNTIL(server.n_secured);
    assert_why_not("tls: client didn't provide a certificate");
    close_ends();

    open_ends();
    use_client_certificate("stranger");
    UNTIL(server.n_secured);
    assert_why_not("tls: failed to verify certificate: x509: certificate signed by unknown "
                   "authority (CN=stranger,O=test SHA-256: ");
    close_ends();

    open_ends();
    use_client_certificate("late");
    UNTIL(server.n_secured);
    assert_why_not("tls: failed to verify certificate: x509: certificate has expired or is not yet "
                   "valid: current time 20");
    close_ends();
}

static void add_name(void *arg, struct str name)
{
    buf_printf(arg, "%.*s;", STR_ARG(name));
}

static void knows_the_peer(void **state)
{
    struct path roots = file("ca", "pem");
    struct buf text = {0};

    (void)state;
    options.verify = true;
    options.ca_file = roots.text;
    open_ends();
    use_client_certificate("client");
    UNTIL(server.n_secured);
    assert_int_equal(server.st, ST_OK);
    assert_true(tls_peer_subject(&server.stream, &text));
    assert_true(str_equal(buf_str(&text), STR("CN=client,O=test")));
    buf_deinit(&text);
    tls_peer_for_each_name(&server.stream, TLS_PEER_DNS, add_name, &text);
    tls_peer_for_each_name(&server.stream, TLS_PEER_EMAIL, add_name, &text);
    tls_peer_for_each_name(&server.stream, TLS_PEER_URI, add_name, &text);
    assert_true(
        str_equal(buf_str(&text), STR("client.example;also.client;me@client;nats://client;")));
    buf_deinit(&text);
    assert_true(tls_peer_certificate(&server.stream, &text));
    const unsigned char *der = (const unsigned char *)text.p;
    X509 *x = d2i_X509(NULL, &der, (long)text.n);
    assert_non_null(x);
    X509_free(x);
    buf_deinit(&text);
    close_ends();
}

static void digest_key(const char *name, uint8_t out[TLS_PIN_BYTES])
{
    FILE *f = fopen(file(name, "pem").text, "r");
    X509 *x = PEM_read_X509(f, NULL, NULL, NULL);
    unsigned char *der = NULL;
    unsigned n = 0;
    int der_n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);

    EVP_Digest(der, (size_t)der_n, out, &n, EVP_sha256(), NULL);
    OPENSSL_free(der);
    X509_free(x);
    fclose(f);
}

static void pins_keys(void **state)
{
    struct path roots = file("ca", "pem");
    uint8_t pins[2][TLS_PIN_BYTES] = {{0}};

    (void)state;
    digest_key("client", pins[1]);
    options.verify = true;
    options.ca_file = roots.text;
    options.pins = (struct tls_pins){.at = pins, .n = 2};
    open_ends();
    use_client_certificate("client");
    UNTIL(server.n_secured);
    assert_int_equal(server.st, ST_OK);
    close_ends();
    open_ends();
    use_client_certificate("other");
    UNTIL(server.n_secured);
    assert_why_not("certificate not pinned");
    assert_false(stream_is_secured(&server.stream));
    close_ends();
    options.verify = false;
    open_ends();
    UNTIL(server.n_secured);
    assert_why_not("certificate not pinned");
    close_ends();
}

static void assert_served_by(char *asked, const char *expected)
{
    char name[64];

    open_ends();
    if (asked) {
        SSL_set_tlsext_host_name(client.ssl, asked);
    }
    UNTIL(server.n_secured && SSL_get0_peer_certificate(client.ssl));
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(client.ssl)),
                              NID_commonName, name, sizeof(name));
    assert_string_equal(name, expected);
    close_ends();
}

static void chooses_by_name(void **state)
{
    struct path files[] = {file("server", "pem"), file("server", "key"), file("other", "pem"),
                           file("other", "key")};
    struct tls_pair pairs[] = {{files[0].text, files[1].text}, {files[2].text, files[3].text}};

    (void)state;
    options.cert_file = options.key_file = NULL;
    options.certs = (struct tls_pairs){.at = pairs, .n = 2};
    assert_served_by((char[]){"other.example"}, "other");
    assert_served_by((char[]){"server.example"}, "server");
    assert_served_by((char[]){"nobody.example"}, "server");
    assert_served_by(NULL, "server");
}

static void assert_refused(const char *why)
{
    struct diag d = {0};

    context = NULL;
    assert_int_equal(tls_context_new(&options, &d, NULL, &context), ST_FAILED);
    assert_null(context);
    if (!str_starts_with(diag_first(&d), str_of(why))) {
        fail_msg("%.*s", STR_ARG(diag_first(&d)));
    }
    diag_deinit(&d);
}

static void says_what_is_wrong(void **state)
{
    struct path cert = file("server", "pem");
    struct path key = file("server", "key");
    struct path other = file("other", "key");
    struct path noise = file("noise", "pem");

    (void)state;
    FILE *f = fopen(noise.text, "w");
    fputs("noise\n", f);
    fclose(f);
    options.key_file = NULL;
    assert_refused("missing 'key_file' in TLS configuration");
    options.key_file = key.text;
    options.cert_file = "";
    assert_refused("missing 'cert_file' in TLS configuration");
    options.cert_file = "/none.pem";
    assert_refused("error parsing X509 certificate/key pair: open /none.pem: no such file");
    options.cert_file = noise.text;
    assert_refused("error parsing X509 certificate/key pair: tls: failed to find any PEM data in "
                   "certificate input");
    options.cert_file = key.text;
    assert_refused("error parsing X509 certificate/key pair: tls: failed to find certificate PEM "
                   "data in certificate input, but did find a private key");
    options.cert_file = cert.text;
    options.key_file = noise.text;
    assert_refused("error parsing X509 certificate/key pair: tls: failed to find any PEM data in "
                   "key input");
    options.key_file = cert.text;
    assert_refused("error parsing X509 certificate/key pair: tls: found a certificate rather than");
    options.key_file = other.text;
    assert_refused("error parsing X509 certificate/key pair: tls: private key does not match "
                   "public key");
    options.key_file = key.text;
    options.ca_file = noise.text;
    assert_refused("failed to parse root ca certificate");
    options.ca_file = "/none.pem";
    assert_refused("open /none.pem: no such file or directory");
}

/* ---- tests: bytes */

/* The owner reads little at a time, and the client says nothing more: all of it comes. */
static void does_not_stall(void **state)
{
    static const size_t pieces[] = {2, 1000, 16384, 65536};
    char *bytes = random_bytes(BIG_BYTES);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        size_t n = pieces[i] < 1000 ? 20000 : BIG_BYTES;

        open_ends();
        server.piece = pieces[i];
        client.to_write = (struct str){.p = bytes, .n = n};
        UNTIL(server.got.n == n);
        assert_memory_equal(server.got.p, bytes, n);
        close_ends();
    }
    mem_free(bytes);
}

static void reads_when_it_wants(void **state)
{
    char *bytes = random_bytes(BIG_BYTES);

    (void)state;
    open_ends();
    UNTIL(server.n_secured);
    server.piece = 100;
    client.to_write = (struct str){.p = bytes, .n = 30000};
    UNTIL(server.got.n > 0);
    for (int i = 0; i < 200; i++) {
        stream_want(&server.stream, i % 20 > 17, false); // mostly not
        size_t before = server.got.n;
        step();
        assert_true(i % 20 > 17 || server.got.n == before);
    }
    stream_want(&server.stream, true, false);
    UNTIL(server.got.n == 30000);
    assert_memory_equal(server.got.p, bytes, 30000);
    close_ends();
    mem_free(bytes);
}

/* Small pieces travel together, and what the socket does not take is taken up again. */
static void writes_pieces(void **state)
{
    static const size_t n_pieces[] = {1, 2, 7, 64};
    char *bytes = random_bytes(BIG_BYTES);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(n_pieces); i++) {
        size_t n = n_pieces[i] == 64 ? 64 * 500 : BIG_BYTES;
        int small = 4096;

        open_ends();
        setsockopt(server.stream.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
        UNTIL(server.n_secured);
        for (int k = 0; k < 10; k++) {
            step();
        }
        client.n_records = 0;
        server.n_iov = n_pieces[i];
        server.to_write = (struct str){.p = bytes, .n = n};
        stream_want(&server.stream, true, true);
        UNTIL(client.got.n == n);
        assert_memory_equal(client.got.p, bytes, n);
        assert_true(client.n_records <= n / 8192 + 2);
        close_ends();
    }
    mem_free(bytes);
}

/* What was refused is offered again with more behind it, in other pieces. */
static void retries_with_more(void **state)
{
    char *bytes = random_bytes(BIG_BYTES);
    size_t at = 0;
    int small = 4096;

    (void)state;
    open_ends();
    setsockopt(server.stream.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    UNTIL(server.n_secured);
    stream_want(&server.stream, false, false);
    for (unsigned i = 0; at < BIG_BYTES; i++) {
        size_t n = BIG_BYTES - at < 3000 + 7 * i ? BIG_BYTES - at : 3000 + 7 * i;
        size_t half = n / (1 + i % 5);
        struct iovec iov[2] = {{bytes + at, half}, {bytes + at + half, n - half}};
        ssize_t r = stream_write(&server.stream, iov, half == n ? 1 : 2);

        assert_true(r > 0 || r == -EAGAIN);
        at += r > 0 ? (size_t)r : 0;
        if (i % 3 == 0) {
            step_client();
        }
    }
    UNTIL(client.got.n == BIG_BYTES);
    assert_memory_equal(client.got.p, bytes, BIG_BYTES);
    close_ends();
    mem_free(bytes);
}

static void says_goodbye(void **state)
{
    (void)state;
    open_ends();
    UNTIL(server.n_secured);
    stream_end_output(&server.stream);
    UNTIL(client.has_ended);
    assert_int_equal(SSL_get_shutdown(client.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    close_ends();
}

/* Bytes, and goodbye behind them in the same read: both are heard. */
static void hears_goodbye(void **state)
{
    (void)state;
    open_ends();
    UNTIL(server.n_secured);
    for (int i = 0; i < 10; i++) {
        step();
    }
    assert_int_equal(SSL_write(client.ssl, "last words", 10), 10);
    SSL_shutdown(client.ssl);
    client.has_ended = true; // it only waits
    UNTIL(server.has_ended);
    assert_true(str_equal(buf_str(&server.got), STR("last words")));
    close_ends();
}

static void hears_the_end(void **state)
{
    (void)state;
    open_ends();
    UNTIL(server.n_secured);
    close_client();
    UNTIL(server.has_ended || server.error);
    close_ends();
}

/* Many handshakes at once have a part of the turn each; all are served. */
static void shares_the_turn(void **state)
{
    (void)state;
    open_ends();
    worker.toil_turn_ns = worker.now_ns;
    worker.toil_ns = 1000 * CLOCK_SEC_NS;
    step_client();
    stream_tls_ops.on_ready(&server.stream, UV_READABLE);
    assert_int_equal(worker.toil_ns, 1000 * CLOCK_SEC_NS); // not in this one
    UNTIL(server.n_secured);
    assert_int_equal(server.st, ST_OK);
    close_ends();
}

static int set_up(void **state)
{
    static const char *const names[] = {"server", "other", "client"};

    (void)state;
    assert_non_null(mkdtemp(dir));
    make_certificate("stranger", 10);
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    ca = NULL;
    make_certificate("ca", 10);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        make_certificate(names[i], 10);
    }
    make_certificate("late", -1);
    signal(SIGPIPE, SIG_IGN);
    return worker_init(&worker, 1) == ST_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"stranger", "ca",   "server", "other",
                                        "client",   "late", "noise"};

    (void)state;
    worker_deinit(&worker);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        unlink(file(names[i], "pem").text);
        unlink(file(names[i], "key").text);
    }
    rmdir(dir);
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(shakes_hands, prepare),
        cmocka_unit_test_setup(tells_noise_from_tls, prepare),
        cmocka_unit_test_setup(notices_the_end, prepare),
        cmocka_unit_test_setup(is_closed_before_the_handshake, prepare),
        cmocka_unit_test_setup(refuses_old_versions, prepare),
        cmocka_unit_test_setup(offers_chosen_suites, prepare),
        cmocka_unit_test_setup(resumes_sessions, prepare),
        cmocka_unit_test_setup(asks_for_certificates, prepare),
        cmocka_unit_test_setup(knows_the_peer, prepare),
        cmocka_unit_test_setup(pins_keys, prepare),
        cmocka_unit_test_setup(chooses_by_name, prepare),
        cmocka_unit_test_setup(says_what_is_wrong, prepare),
        cmocka_unit_test_setup(does_not_stall, prepare),
        cmocka_unit_test_setup(reads_when_it_wants, prepare),
        cmocka_unit_test_setup(writes_pieces, prepare),
        cmocka_unit_test_setup(retries_with_more, prepare),
        cmocka_unit_test_setup(says_goodbye, prepare),
        cmocka_unit_test_setup(hears_goodbye, prepare),
        cmocka_unit_test_setup(hears_the_end, prepare),
        cmocka_unit_test_setup(shares_the_turn, prepare),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
