/* SPDX-License-Identifier: Apache-2.0 */
/*
 * natsload - load generator and delivery checker for NATS servers.
 *
 * One file, C17 + pthreads + epoll, OpenSSL for --tls.  It speaks the NATS client
 * protocol, measures throughput, latency, connection and subscription cost,
 * and checks every delivery: count, length, order per publisher, payload.
 *
 *     cc -std=gnu17 -O2 -Wall -Wextra -o natsload natsload.c -lssl -lcrypto -lpthread
 *
 * How it is put together:
 *   - main opens every connection with blocking calls (dial), then hands them
 *     to worker threads, each an epoll loop over its own connections;
 *   - a publisher owns a batch of pre-built PUB commands; before a slice of the
 *     batch is written only the stamps in the payloads are updated;
 *   - a receiver reads into one large buffer per worker and walks it; a header
 *     line equal to the previous one on that connection is not parsed again;
 *   - main sleeps and takes snapshots of the counters and of /proc/PID.
 *
 * Payload layout (as far as it fits):
 *     bytes 0..7    sequence << 24 | publisher
 *     bytes 8..15   timestamp in ns (when the message was due, or 0)
 *     middle        fixed pattern
 *     last 8        complement of bytes 0..7 (payloads of 24 bytes and more)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------- options -- */

enum mode {
    M_PUB,
    M_PUBSUB,
    M_FANOUT,
    M_FANIN,
    M_QUEUE,
    M_REQREP,
    M_LATENCY,
    M_CONNS,
    M_SUBS,
    M_CHURN,
    M_COUNT
};

/* The order in which message flows connect: decides which of a server's threads gets whom. */
enum order {
    ORDER_SUBS, /* all subscribers, then all publishers */
    ORDER_TURN, /* subscriber 0, publisher 0, subscriber 1, ... */
    ORDER_SWAP, /* all subscribers, then publishers 1, 0, 3, 2, ... */
    ORDER_COUNT
};

static const char *const order_name[ORDER_COUNT] = {"subs", "turn", "swap"};

static const char *const mode_name[M_COUNT] = {"pub",    "pubsub",  "fanout", "fanin", "queue",
                                               "reqrep", "latency", "conns",  "subs",  "churn"};

static struct {
    enum mode mode;
    enum order order;
    const char *host, *port, *user, *pass, *token;
    const char *sub_user, *sub_pass; /* of subscribers and responders; NULL: as all others */
    const char *prefix;              /* first token of every subject used */
    const char *sub_prefix;          /* … of those they subscribe to; NULL: the same */
    const char *queue;               /* queue group of the subscribers */
    const char *label;
    const char *cc; /* TCP congestion control of our sockets */
    uint32_t pubs, subs, conns, threads;
    uint32_t subjects;  /* 0: one per pair, 1: one shared, N: many */
    uint32_t size, hdr; /* payload and header bytes */
    uint64_t msgs;      /* total to publish; 0: run for secs */
    double secs, warmup, rate, settle, drain;
    uint64_t window; /* most bytes undelivered before publishers pause */
    uint32_t batch;  /* bytes per publisher write */
    uint32_t idle, extra_subs, wild_pct, subs_per_conn;
    int server_pid;
    bool unsub, spin, stamp_now, check_full, sink, tls, json, fresh;
} opt = {
    .host = "127.0.0.1",
    .port = "4222",
    .prefix = "load",
    .pubs = 1,
    .subs = 1,
    .conns = 1,
    .threads = 1,
    .size = 128,
    .secs = 3,
    .warmup = 0.5,
    .settle = 1,
    .drain = 5,
    .window = 8u << 20,
    .batch = 64u << 10,
};

static const char usage_text[] =
    "usage: natsload [options] MODE\n"
    "modes:\n"
    "  pub       publish only, nobody subscribed\n"
    "  pubsub    --pubs N --subs N, one subject per pair (see --subjects)\n"
    "  fanout    1 publisher, --subs N (100), one subject\n"
    "  fanin     --pubs N (16), 1 subscriber, one subject\n"
    "  queue     --pubs N (4), --subs N (4) in one queue group\n"
    "  reqrep    --conns N requesters, 1 request in flight each, --subs N responders\n"
    "  latency   as pubsub at a fixed --rate, open loop, latency from due time\n"
    "  conns     open --conns N (10000) idle connections, server RSS per connection\n"
    "  subs      --msgs N (1000000) unique subjects, server RSS per subscription\n"
    "  churn     connect, SUB, PING/PONG, close; --conns N (4) at a time\n"
    "server:\n"
    "  -a, --addr HOST   -p, --port N   --user U --pass P   --token T\n"
    "  --sub-user U --sub-pass P  who subscribers and responders are: of another account\n"
    "  --tls                  shake hands after INFO; whoever the server is, it is trusted\n"
    "  --server-pid PID       read CPU and memory of the server from /proc\n"
    "load:\n"
    "  --pubs N  --subs N  --conns N  -t, --threads N (load threads, default 1)\n"
    "  --subjects pair|one|N  N: publishers cycle through N subjects, subscribers\n"
    "                         use a wildcard that takes all of them\n"
    "  --prefix TOKEN (load)  first token of all subjects; with --sub-prefix only of those\n"
    "                         that publishers and requesters use: an import lies between\n"
    "  --queue NAME           put the subscribers in a queue group\n"
    "  -s, --size BYTES (128)    -H, --hdr BYTES  header block size (HPUB), 0 = PUB\n"
    "  -n, --msgs N           messages in all, instead of -d, --secs S (3)\n"
    "  --warmup S (0.5)       left out of the figures in timed runs\n"
    "  -r, --rate N           messages per second in all (latency: 10000)\n"
    "  --window BYTES (8Mi)   pause publishing while more is undelivered; 0 = never\n"
    "  --batch BYTES (64Ki)   most bytes per publisher write\n"
    "  --order subs|turn|swap  who connects when: subscribers, then publishers (subs),\n"
    "                         in turn, or as subs with publishers 1,0,3,2...  A server\n"
    "                         that deals 2 threads out in turn gets pairs together,\n"
    "                         all publishers apart from all subscribers, or each apart\n"
    "                         from its partner\n"
    "  --idle N               also hold N idle connections\n"
    "  --extra-subs N         also hold N subscriptions that never match; with them, the N\n"
    "                         subjects lie among theirs\n"
    "  --wild PCT             percent of extra/unique subscriptions with wildcards\n"
    "  --subs-per-conn N      conns: subscriptions on each idle connection\n"
    "  --unsub                subs: unsubscribe them all afterwards as well\n"
    "  --fresh                reqrep: each request has a reply subject of its own\n"
    "  --spin                 poll instead of sleeping (latency runs on a spare core)\n"
    "  --stamp-now            latency from the send, not from the due time\n"
    "  --sink                 count what subscribers get by its length alone: a cheap\n"
    "                         load, to find the throughput of the server\n"
    "  --check-full           compare whole payloads, not only the stamps\n"
    "  --cc NAME              TCP congestion control on our side (cubic, bbr, ...)\n"
    "  --settle S (1)  --drain S (5)  --label TEXT  --json\n"
    "exit status: 0 all delivered, 1 lost, duplicated, out of order or corrupt, 2 usage\n";

/* ----------------------------------------------------------- utilities -- */

#define NS 1000000000ull

static void die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("natsload: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS + (uint64_t)t.tv_nsec;
}

static void sleep_s(double s)
{
    struct timespec t = {(time_t)s, (long)((s - (double)(time_t)s) * 1e9)};

    while (s > 0 && nanosleep(&t, &t) && errno == EINTR)
        ;
}

static void *grow(void *p, size_t n)
{
    p = realloc(p, n ? n : 1);
    if (!p) {
        die("out of memory (%zu bytes)", n);
    }
    return p;
}

static void *zalloc(size_t n)
{
    return memset(grow(NULL, n), 0, n);
}

/* A growing byte buffer. */
struct buf {
    char *p;
    size_t len, cap;
};

static void buf_add(struct buf *b, const void *p, size_t n)
{
    if (b->len + n > b->cap) {
        b->p = grow(b->p, b->cap = (b->len + n) * 2);
    }
    memcpy(b->p + b->len, p, n);
    b->len += n;
}

static void __attribute__((format(printf, 2, 3))) buf_fmt(struct buf *b, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof line) {
        die("line too long: %.40s...", line);
    }
    buf_add(b, line, (size_t)n);
}

/*
 * Histogram of nanoseconds: exact below 128, then 64 steps per power of two
 * (error under 1.6 %).  Value v with shift s is counted in bucket 64 s + (v >> s).
 */
#define HIST_SUB 64
#define HIST_LEN (HIST_SUB * 40)

struct hist {
    uint64_t n, max, bucket[HIST_LEN];
};

static void hist_add(struct hist *h, uint64_t v)
{
    unsigned shift = v < 2 * HIST_SUB ? 0 : 57 - (unsigned)__builtin_clzll(v);
    size_t i = (size_t)shift * HIST_SUB + (size_t)(v >> shift);

    h->bucket[i < HIST_LEN ? i : HIST_LEN - 1]++;
    h->n++;
    if (v > h->max) {
        h->max = v;
    }
}

static void hist_merge(struct hist *to, const struct hist *h)
{
    for (size_t i = 0; i < HIST_LEN; i++) {
        to->bucket[i] += h->bucket[i];
    }
    to->n += h->n;
    if (h->max > to->max) {
        to->max = h->max;
    }
}

/* The value below which a fraction q of the samples lie, in microseconds. */
static double hist_us(const struct hist *h, double q)
{
    uint64_t want = (uint64_t)(q * (double)h->n), seen = 0;

    for (size_t i = 0; i < HIST_LEN; i++) {
        seen += h->bucket[i];
        if (seen > want) {
            size_t shift = i < 2 * HIST_SUB ? 0 : i / HIST_SUB - 1;

            return (double)((uint64_t)(i - shift * HIST_SUB) << shift) / 1e3;
        }
    }
    return (double)h->max / 1e3;
}

/* ------------------------------------------------- the server's figures -- */

struct usage {
    double user, sys; /* seconds, in clock ticks of /proc/PID/stat */
    double cpu;       /* their sum, from the finer process CPU clock */
    long rss, peak;   /* KiB */
};

static struct usage server_usage(void)
{
    struct usage u = {0};
    char path[64], line[1024], *p;
    unsigned long long ut = 0, st = 0;
    struct timespec ts;
    clockid_t clock;
    FILE *f;

    if (!opt.server_pid) {
        return u;
    }
    snprintf(path, sizeof path, "/proc/%d/stat", opt.server_pid);
    if (!(f = fopen(path, "r"))) {
        die("no server process %d", opt.server_pid);
    }
    if (fgets(line, sizeof line, f) && (p = strrchr(line, ')'))) {
        sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &ut, &st);
    }
    fclose(f);
    u.user = (double)ut / (double)sysconf(_SC_CLK_TCK);
    u.sys = (double)st / (double)sysconf(_SC_CLK_TCK);
    u.cpu = u.user + u.sys;
    if (!clock_getcpuclockid(opt.server_pid, &clock) && !clock_gettime(clock, &ts)) {
        u.cpu = (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
    }
    snprintf(path, sizeof path, "/proc/%d/status", opt.server_pid);
    if ((f = fopen(path, "r"))) {
        while (fgets(line, sizeof line, f)) {
            sscanf(line, "VmRSS: %ld", &u.rss);
            sscanf(line, "VmHWM: %ld", &u.peak);
        }
        fclose(f);
    }
    return u;
}

/* Makes VmHWM start again from the present size; needs no more than ptrace rights. */
static void server_reset_peak(void)
{
    char path[64];
    FILE *f;

    if (!opt.server_pid) {
        return;
    }
    snprintf(path, sizeof path, "/proc/%d/clear_refs", opt.server_pid);
    if ((f = fopen(path, "w"))) {
        fputs("5", f);
        fclose(f);
    }
}

static double own_cpu(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (double)r.ru_utime.tv_sec + (double)r.ru_stime.tv_sec +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

/* --------------------------------------------------------- connections -- */

enum role { R_IDLE, R_PUB, R_SUB, R_REQUESTER, R_RESPONDER };

struct worker;

/* State of a publisher or requester. */
struct sender {
    char *batch;            /* count pre-built commands, back to back */
    uint32_t *start, *body; /* offset of each command and of its payload */
    uint32_t count, next;   /* commands in the batch, next one to send */
    const char *pend;       /* what is still to be written of the last slice */
    size_t pend_len;
    uint64_t sent, limit; /* messages */
    uint64_t t_first;     /* when message 0 is due (rate) */
    uint64_t t_sent;      /* when the request in flight was sent (reqrep) */
    char *fresh;          /* where FRESH stands in its reply subject; NULL: always the same */
    bool fenced, done;    /* PING sent, PONG received after the last message */
};

/* State of a receiver. */
struct receiver {
    uint64_t *due;                         /* next sequence expected from each publisher */
    uint64_t got, sum;                     /* deliveries; sum over mix(sequence, publisher) */
    uint64_t sunk;                         /* bytes thrown away (sink) */
    uint32_t wire;                         /* length of each delivery (sink) */
    uint32_t line_len, hdr_len, total_len; /* last header line, and its lengths */
    char line[256];
};

struct conn {
    int fd;
    SSL *ssl; /* with tls */
    enum role role;
    uint32_t index; /* within its role */
    struct worker *w;
    bool blocked;     /* waiting for EPOLLOUT */
    struct buf carry; /* incomplete message left by the last read */
    struct buf out;   /* small output: PONG, replies, requests */
    struct sender *tx;
    struct receiver *rx;
};

/* Counters on their own cache lines: written by one worker, read by others. */
struct worker {
    _Alignas(128) _Atomic uint64_t sent;
    _Atomic uint64_t got, bytes, last_rx;
    _Alignas(128) int ep;
    pthread_t thread;
    char *rbuf;
    size_t rbuf_len;
    struct conn **sender; /* its publishers */
    uint32_t senders;
    struct hist lat, lag; /* delivery latency; lateness of the sends */
    uint64_t n_sent, n_got, n_bytes;
};

static struct sockaddr_storage g_addr;
static socklen_t g_addr_len;
static struct worker *g_worker;
static uint32_t g_fan_max; /* deliveries per message, for the window */
static _Atomic bool g_stop, g_quit, g_failed;
static _Atomic uint32_t g_senders_left;
static _Atomic uint64_t g_bad; /* corrupt, duplicated or misordered */
static uint64_t g_t_measure;   /* latencies before this are not recorded */
static char *g_fill;           /* payload pattern */
static SSL_CTX *g_tls;

/* Reports a protocol or delivery error once; the run goes on to count them. */
static void __attribute__((format(printf, 2, 3))) bad(const struct conn *c, const char *fmt, ...)
{
    va_list ap;

    if (atomic_fetch_add(&g_bad, 1) >= 5) {
        return;
    }
    fprintf(stderr, "natsload: role %d #%u: ", c->role, c->index);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

static void resolve(void)
{
    struct addrinfo hint = {.ai_socktype = SOCK_STREAM}, *ai;
    int e = getaddrinfo(opt.host, opt.port, &hint, &ai);

    if (e) {
        die("%s: %s", opt.host, gai_strerror(e));
    }
    memcpy(&g_addr, ai->ai_addr, ai->ai_addrlen);
    g_addr_len = ai->ai_addrlen;
    freeaddrinfo(ai);
}

/* To 127.0.0.1 the source address is rotated too, or the ports would run out. */
static int tcp_connect(void)
{
    static _Atomic uint32_t turn;
    struct sockaddr_in *in = (struct sockaddr_in *)&g_addr;
    struct timeval tv = {20, 0};
    int one = 1, fd = socket(g_addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        die("socket: %s", strerror(errno));
    }
    if (g_addr.ss_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_LOOPBACK)) {
        struct sockaddr_in from = {.sin_family = AF_INET};

        from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + atomic_fetch_add(&turn, 1) % 16);
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(fd, (struct sockaddr *)&from, sizeof from)) {
            die("bind: %s", strerror(errno));
        }
    }
    if (connect(fd, (struct sockaddr *)&g_addr, g_addr_len)) {
        die("connect %s:%s: %s", opt.host, opt.port, strerror(errno));
    }
    if (opt.cc && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, opt.cc, (socklen_t)strlen(opt.cc))) {
        die("congestion control %s: %s", opt.cc, strerror(errno));
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    return fd;
}

static void tls_init(void)
{
    g_tls = SSL_CTX_new(TLS_client_method());
    if (!g_tls) {
        die("TLS: %s", ERR_reason_error_string(ERR_peek_last_error()));
    }
    SSL_CTX_set_mode(g_tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

static void tls_connect(struct conn *c)
{
    c->ssl = SSL_new(g_tls);
    if (!c->ssl || !SSL_set_fd(c->ssl, c->fd) || SSL_connect(c->ssl) != 1) {
        die("TLS: %s", ERR_reason_error_string(ERR_peek_last_error()));
    }
}

/* What SSL_read or SSL_write returned, as recv or send would have. */
static ssize_t tls_result(struct conn *c, int r)
{
    int e = r > 0 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, r);

    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
        errno = EAGAIN;
        return -1;
    }
    if (e == SSL_ERROR_SSL) {
        ERR_clear_error();
        errno = EPROTO;
        return -1;
    }
    return e == SSL_ERROR_ZERO_RETURN ? 0 : r;
}

/* Several records at once, where that does not block; none of them in part: epoll knows nothing of
 * what OpenSSL holds. */
static ssize_t tls_recv(struct conn *c, char *p, size_t n)
{
    size_t done = 0;
    int r;

    do {
        r = SSL_read(c->ssl, p + done, (int)(n - done));
        done += r > 0 ? (size_t)r : 0;
    } while (r > 0 && c->w && n - done >= SSL3_RT_MAX_PLAIN_LENGTH);
    return done ? (ssize_t)done : tls_result(c, r);
}

static ssize_t wire_send(struct conn *c, const char *p, size_t n)
{
    return c->ssl ? tls_result(c, SSL_write(c->ssl, p, n > INT_MAX ? INT_MAX : (int)n))
                  : send(c->fd, p, n, MSG_NOSIGNAL);
}

static ssize_t wire_recv(struct conn *c, char *p, size_t n)
{
    return c->ssl ? tls_recv(c, p, n) : recv(c->fd, p, n, p ? 0 : MSG_TRUNC);
}

static void send_all(struct conn *c, const char *p, size_t n)
{
    while (n) {
        ssize_t r = wire_send(c, p, n);

        if (r < 0 && errno == EINTR) {
            continue;
        }
        if (r <= 0) {
            die("send: %s", strerror(errno));
        }
        p += r;
        n -= (size_t)r;
    }
}

/* Reads lines until one starts with word; what follows it stays in c->carry. */
static void await_line(struct conn *c, const char *word)
{
    char tmp[32768];

    for (;;) {
        char *p = c->carry.p, *end = p ? p + c->carry.len : p, *nl;
        ssize_t r;

        while (p && (nl = memchr(p, '\n', (size_t)(end - p)))) {
            bool hit = !strncmp(p, word, strlen(word));

            if (!strncmp(p, "-ERR", 4)) {
                die("server says %.*s", (int)(nl - p), p);
            }
            if (!strncmp(p, "PING", 4)) {
                send_all(c, "PONG\r\n", 6);
            }
            c->carry.len = (size_t)(end - nl - 1);
            memmove(c->carry.p, nl + 1, c->carry.len);
            if (hit) {
                return;
            }
            p = c->carry.p;
            end = p + c->carry.len;
        }
        r = wire_recv(c, tmp, sizeof tmp);
        if (r <= 0) {
            die("waiting for %s: %s", word, r ? strerror(errno) : "closed by server");
        }
        buf_add(&c->carry, tmp, (size_t)r);
    }
}

static bool is_receiver(enum role role)
{
    return role == R_SUB || role == R_RESPONDER;
}

static void add_connect(struct buf *b, enum role role)
{
    bool is_other = opt.sub_user && is_receiver(role);
    const char *user = is_other ? opt.sub_user : opt.user;
    const char *pass = is_other ? opt.sub_pass : opt.pass;

    buf_fmt(b, "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,"
               "\"no_responders\":false,\"lang\":\"c\",\"version\":\"1\",\"protocol\":1,"
               "\"name\":\"natsload\"");
    if (user) {
        buf_fmt(b, ",\"user\":\"%s\",\"pass\":\"%s\"", user, pass ? pass : "");
    }
    if (opt.token) {
        buf_fmt(b, ",\"auth_token\":\"%s\"", opt.token);
    }
    buf_fmt(b, "}\r\n");
}

/* Connects, sends CONNECT and what is in extra, and waits until it is processed. */
static void dial(struct conn *c, const struct buf *extra)
{
    struct buf b = {0};

    c->fd = tcp_connect();
    await_line(c, "INFO ");
    if (opt.tls) {
        tls_connect(c);
    }
    add_connect(&b, c->role);
    if (extra) {
        buf_add(&b, extra->p, extra->len);
    }
    buf_fmt(&b, "PING\r\n");
    send_all(c, b.p, b.len);
    free(b.p);
    await_line(c, "PONG");
}

static struct conn *new_conn(enum role role, uint32_t index, const struct buf *extra)
{
    struct conn *c = zalloc(sizeof *c);

    c->role = role;
    c->index = index;
    dial(c, extra);
    return c;
}

/* Gives a connection to a worker's epoll loop. */
static void attach(struct conn *c, struct worker *w)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

    c->w = w;
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(w->ep, EPOLL_CTL_ADD, c->fd, &ev)) {
        die("epoll_ctl: %s", strerror(errno));
    }
    if (c->role == R_PUB) {
        w->sender = grow(w->sender, (w->senders + 1) * sizeof *w->sender);
        w->sender[w->senders++] = c;
    }
}

static void want_write(struct conn *c, bool on)
{
    struct epoll_event ev = {.events = EPOLLIN | (on ? EPOLLOUT : 0), .data.ptr = c};

    if (c->blocked != on) {
        c->blocked = on;
        epoll_ctl(c->w->ep, EPOLL_CTL_MOD, c->fd, &ev);
    }
}

/* Writes as much as the socket takes; returns the bytes written. */
static size_t write_some(struct conn *c, const char *p, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t r = wire_send(c, p + done, n - done);

        if (r > 0) {
            done += (size_t)r;
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            bad(c, "send: %s", strerror(errno));
            atomic_store(&g_failed, true);
            return n;
        }
    }
    want_write(c, done < n);
    return done;
}

static void flush_out(struct conn *c)
{
    size_t n = write_some(c, c->out.p, c->out.len);

    c->out.len -= n;
    if (n && c->out.len) {
        memmove(c->out.p, c->out.p + n, c->out.len);
    }
}

/* ------------------------------------------------------------ messages -- */

static uint64_t mix(uint64_t seq, uint32_t pub)
{
    uint64_t x = (seq + 1) * 0x9e3779b97f4a7c15ull + pub;

    return (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull;
}

static const char *prefix_of(enum role role)
{
    return opt.sub_prefix && is_receiver(role) ? opt.sub_prefix : opt.prefix;
}

static void subject_of(char *out, size_t cap, enum role role, uint32_t index)
{
    uint32_t pairs = opt.pubs < opt.subs || !opt.subs ? opt.pubs : opt.subs;
    const char *prefix = prefix_of(role);

    if (opt.subjects == 1) {
        snprintf(out, cap, "%s.s", prefix);
    } else if (opt.subjects == 0) {
        snprintf(out, cap, "%s.s.%u", prefix, index % pairs);
    } else if (role == R_SUB) {
        snprintf(out, cap, "%s.%c.*.*.*", prefix, opt.extra_subs ? 'x' : 'm');
    } else if (opt.extra_subs) { /* index runs over the subjects, here and below */
        snprintf(out, cap, "%s.x.%u.%u.m%u", prefix, index % 64, index / 64 % 64, index);
    } else {
        snprintf(out, cap, "%s.m.a%u.b%u.%u", prefix, index % 31, index / 31 % 37, index);
    }
}

/* Whether subscriber s gets what publisher p sends. */
static bool linked(uint32_t p, uint32_t s)
{
    uint32_t pairs = opt.pubs < opt.subs ? opt.pubs : opt.subs;

    return opt.subjects != 0 || p % pairs == s % pairs;
}

static void add_command(struct buf *b, const char *subject, const char *reply)
{
    static const char tag[] = "NATS/1.0\r\nX-Load: ";
    size_t fixed = sizeof tag - 1 + 4; /* and \r\n\r\n */

    if (opt.hdr) {
        buf_fmt(b, "HPUB %s %s%s%u %u\r\n%s", subject, reply, *reply ? " " : "", opt.hdr,
                opt.hdr + opt.size, tag);
        for (size_t i = fixed; i < opt.hdr; i++) {
            buf_add(b, "h", 1);
        }
        buf_add(b, "\r\n\r\n", 4);
    } else {
        buf_fmt(b, "PUB %s %s%s%u\r\n", subject, reply, *reply ? " " : "", opt.size);
    }
}

/* Builds the batch of commands that publisher i sends over and over. */
static struct sender *new_sender(uint32_t i, const char *one_subject, const char *reply)
{
    struct sender *t = zalloc(sizeof *t);
    struct buf b = {0};
    char subject[256];
    uint32_t s = opt.subjects > 1 ? i * (opt.subjects / opt.pubs) : i;

    do {
        t->start = grow(t->start, (t->count + 2) * sizeof *t->start);
        t->body = grow(t->body, (t->count + 1) * sizeof *t->body);
        t->start[t->count] = (uint32_t)b.len;
        if (!one_subject) {
            subject_of(subject, sizeof subject, R_PUB, s);
        }
        add_command(&b, one_subject ? one_subject : subject, reply);
        t->body[t->count++] = (uint32_t)b.len;
        buf_add(&b, g_fill, opt.size);
        buf_add(&b, "\r\n", 2);
        if (opt.subjects > 1) {
            s = (s + 1) % opt.subjects;
        }
        /* With many subjects the batch holds each of them at least once. */
    } while (!one_subject && (b.len < opt.batch || t->count < opt.subjects));
    if (b.len > UINT32_MAX) {
        die("too many subjects of this size");
    }
    t->start[t->count] = (uint32_t)b.len;
    t->batch = b.p;
    return t;
}

static void stamp(char *body, uint64_t seq, uint32_t pub, uint64_t t)
{
    uint64_t w = seq << 24 | pub;

    if (opt.size >= 8) {
        memcpy(body, &w, 8);
    }
    if (opt.size >= 16) {
        memcpy(body + 8, &t, 8);
    }
    if (opt.size >= 24) {
        w = ~w;
        memcpy(body + opt.size - 8, &w, 8);
    }
}

/* Checks one received payload; returns its timestamp (0 if none). */
static uint64_t check(struct conn *c, const char *body, uint32_t len)
{
    struct receiver *r = c->rx;
    uint64_t w, seq, t = 0;
    uint32_t pub;

    if (len != opt.size) {
        bad(c, "payload of %u bytes, sent %u", len, opt.size);
        return 0;
    }
    if (len < 8) {
        return 0;
    }
    memcpy(&w, body, 8);
    pub = (uint32_t)(w & 0xffffff);
    seq = w >> 24;
    if (len >= 16) {
        memcpy(&t, body + 8, 8);
    }
    if (len >= 24) {
        uint64_t v;

        memcpy(&v, body + len - 8, 8);
        if (v != ~w) {
            bad(c, "corrupt payload: %016llx does not match %016llx", (unsigned long long)v,
                (unsigned long long)w);
        }
        if (opt.check_full && memcmp(body + 16, g_fill + 16, len - 24)) {
            bad(c, "corrupt payload pattern");
        }
    }
    if (c->role != R_SUB) {
        return t;
    }
    if (pub >= opt.pubs) {
        bad(c, "message from unknown publisher %u", pub);
        return t;
    }
    /* In a queue group each member sees a rising part of the sequence. */
    if (opt.queue ? seq < r->due[pub] : seq != r->due[pub]) {
        bad(c, "publisher %u: sequence %llu, expected %llu", pub, (unsigned long long)seq,
            (unsigned long long)r->due[pub]);
    }
    r->due[pub] = seq + 1;
    r->sum += mix(seq, pub);
    return t;
}

/* ------------------------------------------------------------- sending -- */

/* Stands for the last token of a reply subject, to be overwritten. */
#define FRESH "00000000"

/* Makes the reply subject one that this requester has not used before. */
static void freshen(struct sender *t)
{
    uint64_t n = t->sent;

    for (size_t i = sizeof FRESH - 1; i-- > 0; n >>= 4) {
        t->fresh[i] = "0123456789abcdef"[n & 15];
    }
}

/* Sends the one request of a requester. */
static void send_request(struct conn *c)
{
    struct sender *t = c->tx;

    stamp(t->batch + t->body[0], t->sent, c->index, 0);
    if (t->fresh) {
        freshen(t);
    }
    t->t_sent = now_ns();
    buf_add(&c->out, t->batch, t->start[1]);
    t->sent++;
    c->w->n_sent++;
    flush_out(c);
}

static uint64_t total_undelivered(void)
{
    uint64_t sent = 0, got = 0;

    for (uint32_t i = 0; i < opt.threads; i++) {
        sent += atomic_load_explicit(&g_worker[i].sent, memory_order_relaxed);
        got += atomic_load_explicit(&g_worker[i].got, memory_order_relaxed);
    }
    sent *= g_fan_max;
    return sent > got ? sent - got : 0;
}

/* How many messages may be sent now; if none, *wake says when to ask again. */
static uint64_t allowance(struct sender *t, uint64_t now, uint64_t *wake)
{
    uint64_t k = t->limit - t->sent;

    if (opt.rate > 0) {
        double gap = 1e9 * opt.pubs / opt.rate;
        uint64_t due = now < t->t_first ? 0 : (uint64_t)((double)(now - t->t_first) / gap) + 1;

        if (due <= t->sent) {
            *wake = t->t_first + (uint64_t)((double)t->sent * gap) + 1;
            return 0;
        }
        if (k > due - t->sent) {
            k = due - t->sent;
        }
    }
    if (opt.window && g_fan_max) {
        uint64_t each = (uint64_t)opt.size + opt.hdr + 40;
        uint64_t room = opt.window / each / g_fan_max + 1;
        uint64_t out = total_undelivered() / g_fan_max;

        if (out >= room) {
            *wake = now + 30000;
            return 0;
        }
        if (k > room - out) {
            k = room - out;
        }
    }
    return k;
}

/* Writes at most one slice of the batch.  Returns the time to call again. */
static uint64_t pump(struct conn *c, uint64_t now)
{
    struct sender *t = c->tx;
    uint64_t wake = now, k;
    size_t n;

    if (t->done || c->blocked || t->fenced) {
        return UINT64_MAX;
    }
    if (!t->pend_len && c->out.len) { /* a PONG, only between commands */
        flush_out(c);
        return c->blocked ? UINT64_MAX : now;
    }
    if (!t->pend_len) {
        if (atomic_load_explicit(&g_stop, memory_order_relaxed) || t->sent == t->limit) {
            t->fenced = true;
            buf_fmt(&c->out, "PING\r\n");
            flush_out(c);
            return UINT64_MAX;
        }
        k = allowance(t, now, &wake);
        if (!k) {
            return wake;
        }
        if (k > t->count - t->next) {
            k = t->count - t->next;
        }
        while (t->start[t->next + k] - t->start[t->next] > opt.batch && k > 1) {
            k = k / 2;
        }
        for (uint64_t i = 0; i < k; i++) {
            uint64_t due = 0;

            if (opt.rate > 0) {
                due = t->t_first + (uint64_t)((double)(t->sent + i) * 1e9 * opt.pubs / opt.rate);
                if (due >= g_t_measure && now > due) {
                    hist_add(&c->w->lag, now - due);
                }
                if (opt.stamp_now) {
                    due = now;
                }
            }
            stamp(t->batch + t->body[t->next + i], t->sent + i, c->index, due);
        }
        t->pend = t->batch + t->start[t->next];
        t->pend_len = t->start[t->next + k] - t->start[t->next];
        t->next = (uint32_t)((t->next + k) % t->count);
        t->sent += k;
        c->w->n_sent += k;
        atomic_store_explicit(&c->w->sent, c->w->n_sent, memory_order_relaxed);
    }
    n = write_some(c, t->pend, t->pend_len);
    t->pend += n;
    t->pend_len -= n;
    return t->pend_len ? UINT64_MAX : now;
}

/* ----------------------------------------------------------- receiving -- */

struct msg {
    const char *reply, *body;
    uint32_t reply_len, len; /* len: payload without headers */
};

static void on_msg(struct conn *c, const struct msg *m, uint64_t now)
{
    struct worker *w = c->w;
    uint64_t t;

    switch (c->role) {
    case R_SUB:
        t = check(c, m->body, m->len);
        c->rx->got++;
        w->n_got++;
        w->n_bytes += m->len;
        if (t >= g_t_measure && t) {
            hist_add(&w->lat, now > t ? now - t : 0);
        }
        break;
    case R_RESPONDER:
        if (!m->reply_len) {
            bad(c, "request without reply subject");
            break;
        }
        check(c, m->body, m->len);
        c->rx->got++;
        w->n_got++;
        buf_add(&c->out, "PUB ", 4);
        buf_add(&c->out, m->reply, m->reply_len);
        buf_fmt(&c->out, " %u\r\n", m->len);
        buf_add(&c->out, m->body, m->len);
        buf_add(&c->out, "\r\n", 2);
        w->n_sent++;
        break;
    case R_REQUESTER: {
        uint64_t word = 0;

        check(c, m->body, m->len);
        if (m->len >= 8) {
            memcpy(&word, m->body, 8);
        }
        if (m->len >= 8 && word != ((c->tx->sent - 1) << 24 | c->index)) {
            bad(c, "reply to another request");
        }
        c->rx->got++;
        w->n_got++;
        if (c->tx->t_sent >= g_t_measure) {
            hist_add(&w->lat, now - c->tx->t_sent);
        }
        if (atomic_load_explicit(&g_stop, memory_order_relaxed) || c->tx->sent == c->tx->limit) {
            c->tx->done = true;
            atomic_fetch_sub(&g_senders_left, 1);
        } else {
            send_request(c);
        }
        break;
    }
    default:
        bad(c, "message on a connection without subscription");
    }
}

/*
 * Parses "MSG subject sid [reply] len" or "HMSG subject sid [reply] hlen len".
 * Returns false if the line makes no sense.
 */
static bool parse_msg_line(const char *p, uint32_t n, struct msg *m, uint32_t *hdr, uint32_t *total)
{
    const char *word[7];
    uint32_t len[7], words = 0, i = 0;
    bool has_hdr = p[0] == 'H';

    while (n && (p[n - 1] == '\n' || p[n - 1] == '\r')) {
        n--;
    }
    while (i < n && words < 7) {
        word[words] = p + i;
        while (i < n && p[i] != ' ') {
            i++;
        }
        len[words] = (uint32_t)(p + i - word[words]);
        words++;
        while (i < n && p[i] == ' ') {
            i++;
        }
    }
    uint32_t least = has_hdr ? 5 : 4;

    if (words != least && words != least + 1) {
        return false;
    }
    m->reply = words > least ? word[3] : NULL;
    m->reply_len = words > least ? len[3] : 0;
    *total = (uint32_t)strtoul(word[words - 1], NULL, 10);
    *hdr = has_hdr ? (uint32_t)strtoul(word[words - 2], NULL, 10) : 0;
    return *hdr <= *total;
}

static void on_control(struct conn *c, const char *line, size_t n)
{
    if (!strncmp(line, "PING", 4)) {
        buf_fmt(&c->out, "PONG\r\n");
    } else if (!strncmp(line, "PONG", 4)) {
        if (c->tx && c->tx->fenced && !c->tx->done) {
            c->tx->done = true;
            atomic_fetch_sub(&g_senders_left, 1);
            atomic_store(&c->w->last_rx, now_ns());
        }
    } else if (strncmp(line, "INFO", 4) && strncmp(line, "+OK", 3)) {
        bad(c, "server says: %.*s", (int)(n > 200 ? 200 : n), line);
    }
}

/* Walks n received bytes; returns how many belong to complete messages. */
static size_t parse(struct conn *c, const char *buf, size_t n, uint64_t now)
{
    struct receiver *r = c->rx;
    size_t off = 0;

    while (off < n) {
        const char *p = buf + off;
        size_t left = n - off, line_len;
        uint32_t hdr, total;
        struct msg m = {0};

        if (r && r->line_len && left >= r->line_len && !memcmp(p, r->line, r->line_len)) {
            line_len = r->line_len;
            hdr = r->hdr_len;
            total = r->total_len;
        } else {
            const char *nl = memchr(p, '\n', left);

            if (!nl) {
                if (left > 65536) {
                    bad(c, "no end of line in %zu bytes", left);
                }
                break;
            }
            line_len = (size_t)(nl - p) + 1;
            if (strncmp(p, "MSG ", 4) && strncmp(p, "HMSG ", 5)) {
                on_control(c, p, line_len);
                off += line_len;
                continue;
            }
            if (!parse_msg_line(p, (uint32_t)line_len, &m, &hdr, &total)) {
                bad(c, "cannot parse: %.*s", (int)line_len, p);
                off += line_len;
                continue;
            }
            if (r && !m.reply_len && line_len <= sizeof r->line) {
                memcpy(r->line, p, line_len);
                r->line_len = (uint32_t)line_len;
                r->hdr_len = hdr;
                r->total_len = total;
            }
        }
        if (left < line_len + total + 2) {
            break;
        }
        if (hdr != opt.hdr && c->role == R_SUB) {
            bad(c, "header of %u bytes, sent %u", hdr, opt.hdr);
        }
        if (memcmp(p + line_len + total, "\r\n", 2)) {
            bad(c, "no CRLF after the payload");
        }
        m.body = p + line_len + hdr;
        m.len = total - hdr;
        on_msg(c, &m, now);
        off += line_len + total + 2;
    }
    return off;
}

/* Reads into p, or throws away if p is NULL.  Returns 0 if nothing came; a lost connection ends the
 * run. */
static size_t read_some(struct conn *c, char *p, size_t n)
{
    ssize_t r = wire_recv(c, p, n);

    if (r < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    if (r <= 0) {
        bad(c, "connection lost: %s", r ? strerror(errno) : "closed by server");
        epoll_ctl(c->w->ep, EPOLL_CTL_DEL, c->fd, NULL);
        atomic_store(&g_failed, true);
        return 0;
    }
    return (size_t)r;
}

/* Counts deliveries without looking at them.  A rare PING among them is shorter than a message. */
static void read_sink(struct conn *c)
{
    struct receiver *r = c->rx;
    uint64_t new;

    r->sunk += read_some(c, NULL, 4u << 20);
    new = r->sunk / r->wire - r->got;
    r->got += new;
    c->w->n_got += new;
    c->w->n_bytes += new *opt.size;
}

static void read_and_parse(struct conn *c, uint64_t now)
{
    struct worker *w = c->w;
    size_t have = c->carry.len, n, used;

    if (have >= w->rbuf_len) {
        die("a message of more than %zu bytes", w->rbuf_len);
    }
    if (have) {
        memcpy(w->rbuf, c->carry.p, have);
    }
    if (!(n = read_some(c, w->rbuf + have, w->rbuf_len - have))) {
        return;
    }
    have += n;
    used = parse(c, w->rbuf, have, now);
    c->carry.len = 0;
    if (used < have) {
        buf_add(&c->carry, w->rbuf + used, have - used);
    }
    if (c->out.len && !c->blocked && !(c->tx && c->tx->pend_len)) {
        flush_out(c);
    }
}

static void on_readable(struct conn *c)
{
    struct worker *w = c->w;
    uint64_t got = w->n_got, now = now_ns();

    if (c->rx && c->rx->wire) {
        read_sink(c);
    } else {
        read_and_parse(c, now);
    }
    if (w->n_got != got) {
        atomic_store_explicit(&w->got, w->n_got, memory_order_relaxed);
        atomic_store_explicit(&w->bytes, w->n_bytes, memory_order_relaxed);
        atomic_store_explicit(&w->last_rx, now, memory_order_relaxed);
    }
    if (w->n_sent != atomic_load_explicit(&w->sent, memory_order_relaxed)) {
        atomic_store_explicit(&w->sent, w->n_sent, memory_order_relaxed);
    }
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct epoll_event ev[256];

    prctl(PR_SET_TIMERSLACK, 1);
    while (!atomic_load_explicit(&g_quit, memory_order_relaxed)) {
        uint64_t now = now_ns(), wake = now + 20000000;
        struct timespec ts;

        for (uint32_t i = 0; i < w->senders; i++) {
            uint64_t t = pump(w->sender[i], now);

            if (t < wake) {
                wake = t;
            }
        }
        uint64_t wait = opt.spin || wake <= now ? 0 : wake - now;

        ts.tv_sec = (time_t)(wait / NS);
        ts.tv_nsec = (long)(wait % NS);
        int n = epoll_pwait2(w->ep, ev, 256, &ts, NULL);

        for (int i = 0; i < n; i++) {
            struct conn *c = ev[i].data.ptr;

            if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
                on_readable(c);
            }
            if (ev[i].events & EPOLLOUT) {
                if (c->tx && c->tx->pend_len) {
                    want_write(c, false); /* pump goes on */
                } else {
                    flush_out(c);
                }
            }
        }
    }
    return NULL;
}

/* -------------------------------------------------------------- report -- */

struct report {
    double secs;
    uint64_t in, out; /* messages the server took and gave */
    uint64_t bytes;   /* payload bytes delivered */
    struct usage a, b;
    double load_cpu;
    const struct hist *lat, *lag;
    uint64_t sent, due, got; /* whole run, for the check */
    const char *unit;        /* conns, subs, churn: what is counted */
    uint64_t units;
    double unsub_secs;
};

/* Prints the result; returns the exit status. */
static int print_report(const struct report *r)
{
    double cpu = r->b.cpu - r->a.cpu;
    uint64_t n = r->unit ? r->units : r->in + r->out;
    double ns = n ? cpu * 1e9 / (double)n : 0;
    double per = n ? (double)(r->b.rss - r->a.rss) * 1024 / (double)n : 0;
    double cores = r->secs > 0 ? cpu / r->secs : 0;
    double load = r->secs > 0 ? r->load_cpu / r->secs : 0;
    bool ok = !atomic_load(&g_bad) && !atomic_load(&g_failed) && r->got == r->due;
    FILE *text = opt.json ? stderr : stdout;
    char shape[64], lat[256] = "", lat_json[384] = "";

    if (opt.subjects > 1) {
        snprintf(shape, sizeof shape, "%u", opt.subjects);
    } else {
        snprintf(shape, sizeof shape, "%s", opt.subjects ? "one" : "pair");
    }
    if (r->lat && r->lat->n) {
        const struct hist *h = r->lat;

        snprintf(lat, sizeof lat, " | lat us p50 %.1f p90 %.1f p99 %.1f p99.9 %.1f max %.1f",
                 hist_us(h, .5), hist_us(h, .9), hist_us(h, .99), hist_us(h, .999),
                 (double)h->max / 1e3);
        snprintf(lat_json, sizeof lat_json,
                 ",\"p50_us\":%.2f,\"p90_us\":%.2f,\"p99_us\":%.2f,\"p999_us\":%.2f,"
                 "\"max_us\":%.2f,\"send_lag_p99_us\":%.2f",
                 hist_us(h, .5), hist_us(h, .9), hist_us(h, .99), hist_us(h, .999),
                 (double)h->max / 1e3, r->lag && r->lag->n ? hist_us(r->lag, .99) : 0);
    }
    fprintf(text, "%s%s%s", opt.label ? opt.label : "", opt.label ? " " : "", mode_name[opt.mode]);
    if (r->unit) {
        fprintf(text, " %llu %s in %.3f s: %.0f/s", (unsigned long long)r->units, r->unit, r->secs,
                (double)r->units / r->secs);
    } else {
        fprintf(text, " %u:%u subj=%s size=%u hdr=%u %.2fs: %.0f in/s %.0f out/s %.1f MiB/s",
                opt.mode == M_REQREP ? opt.conns : opt.pubs, opt.subs, shape, opt.size, opt.hdr,
                r->secs, (double)r->in / r->secs, (double)r->out / r->secs,
                (double)r->bytes / r->secs / 1048576);
    }
    if (opt.mode == M_REQREP) {
        fprintf(text, " %.0f round trips/s", (double)r->in / 2 / r->secs);
    }
    if (opt.server_pid) {
        fprintf(text, " | server %.0f ns/%s %.2f cores (user %.0f%%) rss %ld KiB (%+ld, peak %ld)",
                ns, r->unit ? r->unit : "msg", cores,
                cpu > 0 ? (r->b.user - r->a.user) / cpu * 100 : 0, r->b.rss, r->b.rss - r->a.rss,
                r->b.peak);
        if (opt.mode == M_CONNS || opt.mode == M_SUBS) {
            fprintf(text, " %.0f B RSS each", per);
        }
    }
    if (r->unsub_secs > 0) {
        fprintf(text, " | unsub %.0f/s", (double)r->units / r->unsub_secs);
    }
    fprintf(text, "%s | load %.2f cores | %s", lat, load, ok ? "OK" : "FAILED");
    if (!ok) {
        fprintf(text, " (due %llu got %llu bad %llu)", (unsigned long long)r->due,
                (unsigned long long)r->got, (unsigned long long)atomic_load(&g_bad));
    }
    fputc('\n', text);
    if (opt.json) {
        printf("{\"label\":\"%s\",\"mode\":\"%s\",\"pubs\":%u,\"subs\":%u,\"conns\":%u,"
               "\"subjects\":\"%s\",\"size\":%u,\"hdr\":%u,\"secs\":%.3f,"
               "\"in\":%llu,\"out\":%llu,\"in_per_s\":%.0f,\"out_per_s\":%.0f,"
               "\"mib_per_s\":%.2f,\"units\":%llu,\"units_per_s\":%.0f,"
               "\"unsubs_per_s\":%.0f,"
               "\"cpu_ns_per_msg\":%.1f,\"cpu_user_s\":%.2f,\"cpu_sys_s\":%.2f,"
               "\"server_cores\":%.3f,\"rss_kib\":%ld,\"rss_delta_kib\":%ld,"
               "\"rss_peak_kib\":%ld,\"rss_bytes_per_unit\":%.1f,\"load_cores\":%.3f%s,"
               "\"due\":%llu,\"got\":%llu,\"bad\":%llu,\"ok\":%s}\n",
               opt.label ? opt.label : "", mode_name[opt.mode], opt.pubs, opt.subs, opt.conns,
               shape, opt.size, opt.hdr, r->secs, (unsigned long long)r->in,
               (unsigned long long)r->out, (double)r->in / r->secs, (double)r->out / r->secs,
               (double)r->bytes / r->secs / 1048576, (unsigned long long)r->units,
               (double)r->units / r->secs, r->unsub_secs > 0 ? (double)r->units / r->unsub_secs : 0,
               ns, r->b.user - r->a.user, r->b.sys - r->a.sys, cores, r->b.rss, r->b.rss - r->a.rss,
               r->b.peak, per, load, lat_json, (unsigned long long)r->due,
               (unsigned long long)r->got, (unsigned long long)atomic_load(&g_bad),
               ok ? "true" : "false");
    }
    return ok ? 0 : 1;
}

/* ------------------------------------------------- modes that move messages -- */

static void start_workers(void)
{
    g_worker = aligned_alloc(128, opt.threads * sizeof *g_worker);
    if (!g_worker) {
        die("out of memory");
    }
    memset(g_worker, 0, opt.threads * sizeof *g_worker);
    for (uint32_t i = 0; i < opt.threads; i++) {
        struct worker *w = &g_worker[i];

        w->ep = epoll_create1(EPOLL_CLOEXEC);
        w->rbuf_len = 256u << 10;
        if (w->rbuf_len < 2 * ((size_t)opt.size + opt.hdr) + 8192) {
            w->rbuf_len = 2 * ((size_t)opt.size + opt.hdr) + 8192;
        }
        w->rbuf = grow(NULL, w->rbuf_len + 64);
    }
}

/* A subscription that matches nothing published, below the same first token. */
static void add_extra_sub(struct buf *b, uint64_t i, uint64_t sid)
{
    unsigned x = (unsigned)(i % 64), y = (unsigned)(i / 64 % 64);

    if (i * 37 % 100 >= opt.wild_pct) {
        buf_fmt(b, "SUB %s.x.%u.%u.%llu %llu\r\n", opt.prefix, x, y, (unsigned long long)i,
                (unsigned long long)sid);
    } else if (i & 1) {
        buf_fmt(b, "SUB %s.*.%u.*.%llu.> %llu\r\n", opt.prefix, x, (unsigned long long)i,
                (unsigned long long)sid);
    } else {
        buf_fmt(b, "SUB %s.x.%u.%u.*.%llu %llu\r\n", opt.prefix, x, y, (unsigned long long)i,
                (unsigned long long)sid);
    }
}

static void open_extras(void)
{
    struct buf b = {0};

    for (uint32_t i = 0; i < opt.idle; i++) {
        attach(new_conn(R_IDLE, i, NULL), &g_worker[i % opt.threads]);
    }
    if (opt.extra_subs) {
        for (uint64_t i = 0; i < opt.extra_subs; i++) {
            add_extra_sub(&b, i, i + 1);
        }
        attach(new_conn(R_IDLE, opt.idle, &b), &g_worker[0]);
        free(b.p);
    }
}

static struct receiver *new_receiver(void)
{
    struct receiver *r = zalloc(sizeof *r);

    r->due = zalloc(opt.pubs * sizeof *r->due);
    return r;
}

static struct conn *open_sub(uint32_t i)
{
    struct conn *c;
    struct buf b = {0};
    char subject[256];

    subject_of(subject, sizeof subject, R_SUB, i);
    buf_fmt(&b, "SUB %s %s%s1\r\n", subject, opt.queue ? opt.queue : "", opt.queue ? " " : "");
    c = new_conn(R_SUB, i, &b);
    c->rx = new_receiver();
    if (opt.sink) {
        b.len = 0;
        if (opt.hdr) {
            buf_fmt(&b, "HMSG %s 1 %u %u\r\n\r\n", subject, opt.hdr, opt.hdr + opt.size);
        } else {
            buf_fmt(&b, "MSG %s 1 %u\r\n\r\n", subject, opt.size);
        }
        c->rx->wire = (uint32_t)b.len + opt.hdr + opt.size;
    }
    free(b.p);
    return c;
}

static struct conn *open_pub(uint32_t i)
{
    struct conn *c = new_conn(R_PUB, i, NULL);

    c->tx = new_sender(i, NULL, "");
    c->tx->limit = opt.msgs ? (opt.msgs + opt.pubs - 1) / opt.pubs : UINT64_MAX;
    return c;
}

static struct conn **open_flow(void)
{
    struct conn **all = zalloc((opt.pubs + opt.subs) * sizeof *all);
    uint32_t s = 0;

    while (s < opt.subs && opt.order != ORDER_TURN) {
        all[opt.pubs + s] = open_sub(s);
        s++;
    }
    for (uint32_t i = 0; i < opt.pubs; i++) {
        uint32_t p = opt.order == ORDER_SWAP && (i ^ 1) < opt.pubs ? i ^ 1 : i;

        if (s < opt.subs) {
            all[opt.pubs + s] = open_sub(s);
            s++;
        }
        all[p] = open_pub(p);
    }
    while (s < opt.subs) {
        all[opt.pubs + s] = open_sub(s);
        s++;
    }
    atomic_store(&g_senders_left, opt.pubs);
    if (opt.queue || !opt.subs) {
        g_fan_max = opt.subs ? 1 : 0;
    } else if (opt.subjects) {
        g_fan_max = opt.subs;
    } else {
        g_fan_max = opt.subs > opt.pubs ? opt.subs / opt.pubs : 1;
    }
    return all;
}

static struct conn **open_reqrep(void)
{
    struct conn **all = zalloc((opt.conns + opt.subs) * sizeof *all);
    struct buf b = {0};
    char service[256], inbox[256];
    uint32_t pid = (uint32_t)getpid();

    buf_fmt(&b, "SUB %s.service workers 1\r\n", prefix_of(R_RESPONDER));
    for (uint32_t i = 0; i < opt.subs; i++) {
        all[opt.conns + i] = new_conn(R_RESPONDER, i, &b);
        all[opt.conns + i]->rx = new_receiver();
    }
    snprintf(service, sizeof service, "%s.service", prefix_of(R_REQUESTER));
    for (uint32_t i = 0; i < opt.conns; i++) {
        snprintf(inbox, sizeof inbox, "_INBOX.%x.%u%s", pid, i, opt.fresh ? "." FRESH : "");
        b.len = 0;
        buf_fmt(&b, "SUB _INBOX.%x.%u%s 1\r\n", pid, i, opt.fresh ? ".*" : "");
        all[i] = new_conn(R_REQUESTER, i, &b);
        all[i]->rx = new_receiver();
        all[i]->tx = new_sender(i, service, inbox);
        if (opt.fresh) {
            all[i]->tx->fresh = strstr(all[i]->tx->batch, "." FRESH) + 1;
        }
        all[i]->tx->limit = opt.msgs ? (opt.msgs + opt.conns - 1) / opt.conns : UINT64_MAX;
    }
    atomic_store(&g_senders_left, opt.conns);
    free(b.p);
    return all;
}

struct snapshot {
    uint64_t t, sent, got, bytes;
    struct usage u;
    double own;
};

static struct snapshot take_snapshot(void)
{
    struct snapshot s = {.u = server_usage(), .own = own_cpu()};

    for (uint32_t i = 0; i < opt.threads; i++) {
        s.sent += atomic_load(&g_worker[i].sent);
        s.got += atomic_load(&g_worker[i].got);
        s.bytes += atomic_load(&g_worker[i].bytes);
    }
    s.t = now_ns();
    return s;
}

/* How often the server has to deliver each message of publisher p. */
static uint32_t fan_of(uint32_t p)
{
    uint32_t n = 0;

    for (uint32_t s = 0; s < opt.subs; s++) {
        n += linked(p, s);
    }
    return opt.queue && n ? 1 : n;
}

/* Deliveries owed for all that was sent; call only when all senders are done. */
static uint64_t deliveries_due(struct conn **all)
{
    uint64_t due = 0;

    for (uint32_t p = 0; p < opt.pubs; p++) {
        due += all[p]->tx->sent * fan_of(p);
    }
    return due;
}

/* Compares the sums over all sequences sent and received: catches what counts cannot. */
static void check_sums(struct conn **all)
{
    uint64_t want = 0, have = 0;

    for (uint32_t p = 0; p < opt.pubs; p++) {
        uint64_t sum = 0, fan = fan_of(p);

        for (uint64_t i = 0; fan && i < all[p]->tx->sent; i++) {
            sum += mix(i, p);
        }
        want += sum * fan;
    }
    for (uint32_t s = 0; s < opt.subs; s++) {
        have += all[opt.pubs + s]->rx->sum;
    }
    if (opt.size >= 8 && want != have) {
        bad(all[0], "sums over all sequences sent and received differ");
    }
}

/* Waits until all senders are done and all deliveries are in, or nothing moves. */
static void drain(struct conn **all)
{
    uint64_t last = 0, t = now_ns(), due = UINT64_MAX;
    bool reqrep = opt.mode == M_REQREP;

    for (;;) {
        uint64_t sent = 0, got = 0;

        if (!atomic_load(&g_senders_left) && due == UINT64_MAX) {
            due = reqrep ? 0 : deliveries_due(all);
        }
        for (uint32_t i = 0; i < opt.threads; i++) {
            sent += atomic_load(&g_worker[i].sent);
            got += atomic_load(&g_worker[i].got);
        }
        if (got >= due || atomic_load(&g_failed)) {
            break;
        }
        if (sent + got != last) {
            last = sent + got;
            t = now_ns();
        }
        if (now_ns() - t > (uint64_t)(opt.drain * 1e9)) {
            break;
        }
        sleep_s(0.0005);
    }
    sleep_s(0.02); /* time for a duplicate to show up */
}

static int run_messages(void)
{
    static struct hist lat, lag;
    struct conn **all;
    struct snapshot a, b;
    bool flow = opt.mode != M_REQREP;
    uint32_t n = flow ? opt.pubs + opt.subs : opt.conns + opt.subs;
    uint32_t front = flow ? opt.pubs : opt.conns;
    struct report r = {0};

    start_workers();
    open_extras();
    all = flow ? open_flow() : open_reqrep();
    /* Senders fill the threads from the first, receivers from the last. */
    for (uint32_t i = 0; i < n; i++) {
        attach(all[i], i < front ? &g_worker[i % opt.threads]
                                 : &g_worker[opt.threads - 1 - (i - front) % opt.threads]);
    }
    if (opt.idle || opt.extra_subs) {
        sleep_s(opt.settle);
    }
    server_reset_peak();

    uint64_t t0 = now_ns() + 2000000;

    for (uint32_t i = 0; flow && i < opt.pubs; i++) {
        all[i]->tx->t_first = t0 + (opt.rate > 0 ? (uint64_t)(i * 1e9 / opt.rate) : 0);
    }
    g_t_measure = opt.msgs ? t0 : t0 + (uint64_t)(opt.warmup * 1e9);
    for (uint32_t i = 0; !flow && i < opt.conns; i++) {
        send_request(all[i]);
    }
    a = take_snapshot();
    for (uint32_t i = 0; i < opt.threads; i++) {
        if (pthread_create(&g_worker[i].thread, NULL, worker_main, &g_worker[i])) {
            die("pthread_create failed");
        }
    }
    if (opt.msgs) {
        drain(all);
        b = take_snapshot();
        b.t = 0;
        for (uint32_t i = 0; i < opt.threads; i++) {
            if (atomic_load(&g_worker[i].last_rx) > b.t) {
                b.t = atomic_load(&g_worker[i].last_rx);
            }
        }
    } else {
        sleep_s(opt.warmup);
        a = take_snapshot();
        uint64_t end = a.t + (uint64_t)(opt.secs * 1e9);

        while (now_ns() < end && !atomic_load(&g_failed)) {
            sleep_s((double)(end - now_ns()) / 1e9 < 0.05 ? (double)(end - now_ns()) / 1e9 : 0.05);
        }
        b = take_snapshot();
        atomic_store(&g_stop, true);
        drain(all);
    }
    atomic_store(&g_quit, true);
    for (uint32_t i = 0; i < opt.threads; i++) {
        pthread_join(g_worker[i].thread, NULL);
        hist_merge(&lat, &g_worker[i].lat);
        hist_merge(&lag, &g_worker[i].lag);
    }
    for (uint32_t i = 0; i < opt.threads; i++) {
        r.got += atomic_load(&g_worker[i].got);
    }
    if (flow) {
        r.due = deliveries_due(all);
        if (!opt.sink) {
            check_sums(all);
        }
    } else { /* each request is received once and answered once */
        for (uint32_t i = 0; i < opt.conns; i++) {
            r.due += 2 * all[i]->tx->sent;
        }
    }
    r.secs = b.t > a.t ? (double)(b.t - a.t) / 1e9 : 1e-9;
    r.in = b.sent - a.sent;
    r.out = b.got - a.got;
    r.bytes = b.bytes - a.bytes;
    r.a = a.u;
    r.b = b.u;
    r.load_cpu = b.own - a.own;
    r.lat = &lat;
    r.lag = &lag;
    return print_report(&r);
}

/* ------------------------------------------------ modes that fill the server -- */

/* Answers PINGs of the attached connections for some time. */
static void serve_idle(double secs)
{
    pthread_t t;

    if (pthread_create(&t, NULL, worker_main, &g_worker[0])) {
        die("pthread_create failed");
    }
    sleep_s(secs);
    atomic_store(&g_quit, true);
    pthread_join(t, NULL);
    atomic_store(&g_quit, false);
}

static int run_conns(void)
{
    struct report r = {.unit = "conn", .units = opt.conns};
    struct buf b = {0};
    double own = own_cpu();
    uint64_t t0;

    start_workers();
    server_reset_peak();
    r.a = server_usage();
    t0 = now_ns();
    for (uint32_t i = 0; i < opt.conns; i++) {
        b.len = 0;
        for (uint32_t s = 0; s < opt.subs_per_conn; s++) {
            add_extra_sub(&b, (uint64_t)i * opt.subs_per_conn + s, s + 1);
        }
        attach(new_conn(R_IDLE, i, &b), &g_worker[0]);
    }
    r.secs = (double)(now_ns() - t0) / 1e9;
    r.load_cpu = own_cpu() - own;
    serve_idle(opt.settle);
    r.b = server_usage();
    return print_report(&r);
}

/* Sends b on every connection in turn in slices, then waits for all to be done. */
static double send_spread(struct conn **c, struct buf *b)
{
    uint64_t t0 = now_ns();

    for (uint32_t i = 0; i < opt.conns; i++) {
        buf_fmt(&b[i], "PING\r\n");
        send_all(c[i], b[i].p, b[i].len);
        b[i].len = 0;
    }
    for (uint32_t i = 0; i < opt.conns; i++) {
        await_line(c[i], "PONG");
    }
    return (double)(now_ns() - t0) / 1e9;
}

static int run_subs(void)
{
    struct report r = {.unit = "sub", .units = opt.msgs};
    struct conn **c = zalloc(opt.conns * sizeof *c);
    struct buf *b = zalloc(opt.conns * sizeof *b);
    double own;

    start_workers();
    for (uint32_t i = 0; i < opt.conns; i++) {
        c[i] = new_conn(R_IDLE, i, NULL);
    }
    for (uint64_t i = 0; i < opt.msgs; i++) {
        add_extra_sub(&b[i % opt.conns], i, i / opt.conns + 1);
    }
    sleep_s(opt.settle);
    server_reset_peak();
    r.a = server_usage();
    own = own_cpu();
    r.secs = send_spread(c, b);
    r.load_cpu = own_cpu() - own;
    sleep_s(opt.settle);
    r.b = server_usage();
    if (opt.unsub) {
        for (uint64_t i = 0; i < opt.msgs; i++) {
            buf_fmt(&b[i % opt.conns], "UNSUB %llu\r\n", (unsigned long long)(i / opt.conns + 1));
        }
        r.unsub_secs = send_spread(c, b);
    }
    return print_report(&r);
}

struct churner {
    pthread_t thread;
    _Atomic uint64_t cycles;
    struct hist lat;
};

static void *churn_main(void *arg)
{
    struct churner *me = arg;
    struct buf sub = {0};

    while (!atomic_load_explicit(&g_quit, memory_order_relaxed)) {
        struct conn c = {0};
        uint64_t t0 = now_ns();

        sub.len = 0;
        buf_fmt(&sub, "SUB %s.churn.%llu 1\r\n", opt.prefix,
                (unsigned long long)atomic_load(&me->cycles));
        dial(&c, &sub);
        close(c.fd);
        SSL_free(c.ssl);
        free(c.carry.p);
        if (t0 >= g_t_measure) {
            hist_add(&me->lat, now_ns() - t0);
        }
        atomic_fetch_add_explicit(&me->cycles, 1, memory_order_relaxed);
    }
    free(sub.p);
    return NULL;
}

static int run_churn(void)
{
    static struct hist lat;
    struct churner *t = zalloc(opt.conns * sizeof *t);
    struct report r = {.unit = "cycle", .lat = &lat};
    uint64_t t0, from = 0, to = 0;
    double own;

    server_reset_peak();
    g_t_measure = now_ns() + (uint64_t)(opt.warmup * 1e9);
    for (uint32_t i = 0; i < opt.conns; i++) {
        if (pthread_create(&t[i].thread, NULL, churn_main, &t[i])) {
            die("pthread_create failed");
        }
    }
    sleep_s(opt.warmup);
    for (uint32_t i = 0; i < opt.conns; i++) {
        from += atomic_load(&t[i].cycles);
    }
    t0 = now_ns();
    r.a = server_usage();
    own = own_cpu();
    sleep_s(opt.secs);
    r.b = server_usage();
    for (uint32_t i = 0; i < opt.conns; i++) {
        to += atomic_load(&t[i].cycles);
    }
    r.secs = (double)(now_ns() - t0) / 1e9;
    r.load_cpu = own_cpu() - own;
    r.units = to - from;
    atomic_store(&g_quit, true);
    for (uint32_t i = 0; i < opt.conns; i++) {
        pthread_join(t[i].thread, NULL);
        hist_merge(&lat, &t[i].lat);
    }
    return print_report(&r);
}

/* ---------------------------------------------------------------- main -- */

static double number(const char *s)
{
    char *end;
    double v = strtod(s, &end);

    if (end == s || v < 0) {
        die("not a number: %s", s);
    }
    if (*end == 'k' || *end == 'K' || *end == 'm' || *end == 'M') {
        double unit = end[1] == 'i' ? 1024 : 1000;

        v *= *end == 'k' || *end == 'K' ? unit : unit * unit;
        end += end[1] == 'i' ? 2 : 1;
    }
    if (*end) {
        die("not a number: %s", s);
    }
    return v;
}

enum {
    O_USER = 256,
    O_PASS,
    O_TOKEN,
    O_SUBUSER,
    O_SUBPASS,
    O_PID,
    O_PUBS,
    O_SUBS,
    O_CONNS,
    O_SUBJECTS,
    O_PREFIX,
    O_SUBPREFIX,
    O_QUEUE,
    O_WARMUP,
    O_WINDOW,
    O_BATCH,
    O_IDLE,
    O_EXTRA,
    O_WILD,
    O_SPC,
    O_UNSUB,
    O_FRESH,
    O_SPIN,
    O_STAMPNOW,
    O_SINK,
    O_ORDER,
    O_CHECK,
    O_CC,
    O_SETTLE,
    O_DRAIN,
    O_LABEL,
    O_TLS,
    O_JSON
};

static const struct option options[] = {{"addr", 1, 0, 'a'},
                                        {"port", 1, 0, 'p'},
                                        {"user", 1, 0, O_USER},
                                        {"pass", 1, 0, O_PASS},
                                        {"token", 1, 0, O_TOKEN},
                                        {"sub-user", 1, 0, O_SUBUSER},
                                        {"sub-pass", 1, 0, O_SUBPASS},
                                        {"server-pid", 1, 0, O_PID},
                                        {"pubs", 1, 0, O_PUBS},
                                        {"subs", 1, 0, O_SUBS},
                                        {"conns", 1, 0, O_CONNS},
                                        {"threads", 1, 0, 't'},
                                        {"subjects", 1, 0, O_SUBJECTS},
                                        {"prefix", 1, 0, O_PREFIX},
                                        {"sub-prefix", 1, 0, O_SUBPREFIX},
                                        {"queue", 1, 0, O_QUEUE},
                                        {"size", 1, 0, 's'},
                                        {"hdr", 1, 0, 'H'},
                                        {"msgs", 1, 0, 'n'},
                                        {"secs", 1, 0, 'd'},
                                        {"warmup", 1, 0, O_WARMUP},
                                        {"rate", 1, 0, 'r'},
                                        {"window", 1, 0, O_WINDOW},
                                        {"batch", 1, 0, O_BATCH},
                                        {"idle", 1, 0, O_IDLE},
                                        {"extra-subs", 1, 0, O_EXTRA},
                                        {"wild", 1, 0, O_WILD},
                                        {"subs-per-conn", 1, 0, O_SPC},
                                        {"unsub", 0, 0, O_UNSUB},
                                        {"fresh", 0, 0, O_FRESH},
                                        {"spin", 0, 0, O_SPIN},
                                        {"stamp-now", 0, 0, O_STAMPNOW},
                                        {"check-full", 0, 0, O_CHECK},
                                        {"sink", 0, 0, O_SINK},
                                        {"order", 1, 0, O_ORDER},
                                        {"cc", 1, 0, O_CC},
                                        {"settle", 1, 0, O_SETTLE},
                                        {"drain", 1, 0, O_DRAIN},
                                        {"label", 1, 0, O_LABEL},
                                        {"tls", 0, 0, O_TLS},
                                        {"json", 0, 0, O_JSON},
                                        {"help", 0, 0, 'h'},
                                        {0, 0, 0, 0}};

static void set_mode(const char *name)
{
    for (opt.mode = 0; opt.mode < M_COUNT; opt.mode++) {
        if (!strcmp(name, mode_name[opt.mode])) {
            return;
        }
    }
    fputs(usage_text, stderr);
    exit(2);
}

/* Options are read once the mode has set its defaults, so they may override them. */
static void mode_defaults(void)
{
    switch (opt.mode) {
    case M_PUB:
        opt.subs = 0;
        opt.subjects = 0;
        break;
    case M_FANOUT:
        opt.subs = 100;
        opt.subjects = 1;
        break;
    case M_FANIN:
        opt.pubs = 16;
        opt.subjects = 1;
        break;
    case M_QUEUE:
        opt.pubs = opt.subs = 4;
        opt.subjects = 1;
        opt.queue = "group";
        break;
    case M_LATENCY:
        opt.rate = 10000;
        break;
    case M_CONNS:
        opt.conns = 10000;
        break;
    case M_SUBS:
        opt.msgs = 1000000;
        break;
    case M_CHURN:
        opt.conns = 4;
        break;
    default:
        break;
    }
}

static void set_option(int o, const char *v)
{
    switch (o) {
    case 'a':
        opt.host = v;
        break;
    case 'p':
        opt.port = v;
        break;
    case O_USER:
        opt.user = v;
        break;
    case O_PASS:
        opt.pass = v;
        break;
    case O_TOKEN:
        opt.token = v;
        break;
    case O_SUBUSER:
        opt.sub_user = v;
        break;
    case O_SUBPASS:
        opt.sub_pass = v;
        break;
    case O_PID:
        opt.server_pid = (int)number(v);
        break;
    case O_PUBS:
        opt.pubs = (uint32_t)number(v);
        break;
    case O_SUBS:
        opt.subs = (uint32_t)number(v);
        break;
    case O_CONNS:
        opt.conns = (uint32_t)number(v);
        break;
    case 't':
        opt.threads = (uint32_t)number(v);
        break;
    case O_SUBJECTS:
        opt.subjects = !strcmp(v, "pair") ? 0 : !strcmp(v, "one") ? 1 : (uint32_t)number(v);
        break;
    case O_PREFIX:
        opt.prefix = v;
        break;
    case O_SUBPREFIX:
        opt.sub_prefix = v;
        break;
    case O_QUEUE:
        opt.queue = v;
        break;
    case 's':
        opt.size = (uint32_t)number(v);
        break;
    case 'H':
        opt.hdr = (uint32_t)number(v);
        break;
    case 'n':
        opt.msgs = (uint64_t)number(v);
        break;
    case 'd':
        opt.secs = number(v);
        break;
    case O_WARMUP:
        opt.warmup = number(v);
        break;
    case 'r':
        opt.rate = number(v);
        break;
    case O_WINDOW:
        opt.window = (uint64_t)number(v);
        break;
    case O_BATCH:
        opt.batch = (uint32_t)number(v);
        break;
    case O_IDLE:
        opt.idle = (uint32_t)number(v);
        break;
    case O_EXTRA:
        opt.extra_subs = (uint32_t)number(v);
        break;
    case O_WILD:
        opt.wild_pct = (uint32_t)number(v);
        break;
    case O_SPC:
        opt.subs_per_conn = (uint32_t)number(v);
        break;
    case O_UNSUB:
        opt.unsub = true;
        break;
    case O_FRESH:
        opt.fresh = true;
        break;
    case O_SPIN:
        opt.spin = true;
        break;
    case O_STAMPNOW:
        opt.stamp_now = true;
        break;
    case O_CHECK:
        opt.check_full = true;
        break;
    case O_SINK:
        opt.sink = true;
        break;
    case O_ORDER:
        for (opt.order = 0; opt.order < ORDER_COUNT && strcmp(v, order_name[opt.order]);) {
            opt.order++;
        }
        if (opt.order == ORDER_COUNT) {
            die("unknown order: %s", v);
        }
        break;
    case O_CC:
        opt.cc = v;
        break;
    case O_SETTLE:
        opt.settle = number(v);
        break;
    case O_DRAIN:
        opt.drain = number(v);
        break;
    case O_LABEL:
        opt.label = v;
        break;
    case O_TLS:
        opt.tls = true;
        break;
    case O_JSON:
        opt.json = true;
        break;
    case 'h':
        fputs(usage_text, stdout);
        exit(0);
    default:
        fputs(usage_text, stderr);
        exit(2);
    }
}

/* Connections need descriptors; the soft limit is often 1024. */
static void raise_fd_limit(void)
{
    struct rlimit lim;

    if (!getrlimit(RLIMIT_NOFILE, &lim)) {
        lim.rlim_cur = lim.rlim_max;
        setrlimit(RLIMIT_NOFILE, &lim);
    }
}

int main(int argc, char **argv)
{
    static const char shorts[] = "a:p:t:s:H:n:d:r:h";
    int o;

    /* First pass: permute argv so that the mode is last, and check the options. */
    while ((o = getopt_long(argc, argv, shorts, options, NULL)) != -1) {
        if (o == '?' || o == 'h') {
            set_option(o, NULL);
        }
    }
    if (optind != argc - 1) {
        fputs(usage_text, stderr);
        return 2;
    }
    set_mode(argv[optind]);
    mode_defaults();
    optind = 0;
    while ((o = getopt_long(argc, argv, shorts, options, NULL)) != -1) {
        set_option(o, optarg);
    }

    if (!opt.threads || !opt.pubs || !opt.conns) {
        die("need at least one thread, publisher and connection");
    }
    if (opt.mode == M_PUB) {
        opt.subs = 0;
    } else if (!opt.subs) {
        die("need at least one subscriber");
    }
    if (opt.hdr && opt.hdr < 22) {
        opt.hdr = 22; /* the smallest header block written here */
    }
    if (opt.mode == M_LATENCY && opt.size < 16) {
        die("latency needs payloads of 16 bytes");
    }
    if (opt.sink && (opt.mode == M_LATENCY || opt.mode == M_REQREP || opt.subjects > 1)) {
        die("--sink needs deliveries of one known length, and no latencies");
    }
    if (opt.sink && opt.tls) {
        die("--sink cannot throw away what is encrypted");
    }
    if (opt.tls) {
        tls_init();
    }
    raise_fd_limit();
    g_fill = grow(NULL, opt.size);
    for (uint32_t i = 0; i < opt.size; i++) {
        g_fill[i] = (char)('a' + i % 26);
    }
    resolve();
    switch (opt.mode) {
    case M_CONNS:
        return run_conns();
    case M_SUBS:
        return run_subs();
    case M_CHURN:
        return run_churn();
    default:
        return run_messages();
    }
}
