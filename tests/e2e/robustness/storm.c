/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that behave badly, or merely a lot of them: the load of the robustness tests.
 *
 *     storm PORT chaos|crowd|load|index CLIENTS SECONDS SEED
 *
 *   chaos  each client picks a role, plays it for a while, ends by FIN or RST wherever it happens
 * to be, and is replaced: half lines, half payloads, half CONNECTs, floods of SUB and UNSUB, deaf
 * subscribers, garbage crowd  connect, send one byte each and stay; prints "ready" when all are
 * connected load   every client subscribes, publishes as fast as the server takes it, and reads
 *   index  every client subscribes and unsubscribes random subjects, publishes to some, and reads
 *
 * One thread, one epoll. Prints what it did as "name value" lines. Exit status 1: something that
 * must not happen, such as a client that cannot connect. Seconds 0: until the server closes all
 * (load), or for ever (crowd). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OUT_BYTES (256u << 10)

enum role {
    HIT_AND_RUN,
    HALF_CONNECT,
    HALF_LINE,
    HALF_PAYLOAD,
    SUB_STORM,
    PUB_STORM,
    DEAF,
    MEMBER,
    GARBAGE,
    POLITE,
    HALF_CLOSE,
    ROLES
};

static const char *const role_names[ROLES] = {
    "hit_and_run", "half_connect", "half_line", "half_payload", "sub_storm", "pub_storm",
    "deaf",        "member",       "garbage",   "polite",       "half_close"};

struct client {
    int fd; // -1: none
    enum role role;
    unsigned id;
    unsigned n_acts;
    uint64_t next_ns; // of its next act
    uint64_t end_ns;  // of its life
    unsigned next_sid;
    bool is_done; // has sent FIN
    char *out;
    size_t out_n, out_sent;
};

static struct sockaddr_in server = {.sin_family = AF_INET};
static struct client *clients;
static unsigned n_clients;
static int epoll;
static uint64_t seed;
static uint64_t n_connected, n_bytes_in, n_bytes_out, n_closed_by_server, n_played[ROLES];

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static unsigned below(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)((seed >> 32) * n >> 32);
}

static void fail(const char *what)
{
    fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void dial(struct client *c, int rcvbuf)
{
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0) {
        fail("socket");
    }
    if (rcvbuf) {
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
    }
    if (connect(c->fd, (struct sockaddr *)&server, sizeof(server))) {
        fail("connect");
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    n_connected++;
}

static void hang_up(struct client *c, bool by_reset)
{
    struct linger l = {.l_onoff = 1};

    if (by_reset) {
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
    }
    close(c->fd);
    c->fd = -1;
}

/* ---- what is to be sent ---- */

static size_t room(const struct client *c)
{
    return OUT_BYTES - c->out_n;
}

static void add(struct client *c, const char *bytes, size_t n)
{
    if (n <= room(c)) {
        memcpy(c->out + c->out_n, bytes, n);
        c->out_n += n;
    }
}

__attribute__((format(printf, 2, 3))) static void say(struct client *c, const char *format, ...)
{
    char text[4096];
    va_list ap;

    va_start(ap, format);
    int n = vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    add(c, text, (size_t)n);
}

static void add_payload(struct client *c, size_t n)
{
    static char x[OUT_BYTES];

    memset(x, 'x', n < sizeof(x) ? n : sizeof(x));
    add(c, x, n);
}

static void publish(struct client *c, const char *subject, size_t n)
{
    if (room(c) > n + 100) {
        say(c, "PUB %s %zu\r\n", subject, n);
        add_payload(c, n);
        say(c, "\r\n");
    }
}

/* Cuts what is to be sent at a random place. */
static void cut(struct client *c)
{
    c->out_n = c->out_sent + below((unsigned)(c->out_n - c->out_sent) + 1);
}

static void send_out(struct client *c)
{
    while (c->out_sent < c->out_n) {
        ssize_t n =
            send(c->fd, c->out + c->out_sent, c->out_n - c->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0) {
            return; // full, or the server has closed: reading will tell
        }
        c->out_sent += (size_t)n;
        n_bytes_out += (size_t)n;
    }
    c->out_n = c->out_sent = 0;
}

/* Reads what there is, up to `most`. False: the server has closed. */
static bool read_in(struct client *c, size_t most)
{
    static char in[256u << 10];

    while (most > 0) {
        ssize_t n = recv(c->fd, in, most < sizeof(in) ? most : sizeof(in), MSG_DONTWAIT);

        if (n < 0) {
            return errno == EAGAIN;
        }
        if (n == 0) {
            return false;
        }
        n_bytes_in += (size_t)n;
        most -= (size_t)n;
        if (n >= 6 && memmem(in, (size_t)n, "PING\r\n", 6)) {
            say(c, "PONG\r\n");
        }
    }
    return true;
}

/* ---- chaos ---- */

static void greet(struct client *c)
{
    say(c,
        "CONNECT {\"verbose\":%s,\"pedantic\":false,\"name\":\"storm %u\",\"headers\":true%s}\r\n",
        below(10) ? "false" : "true", c->id, below(5) ? "" : ",\"echo\":false");
}

static void reborn(struct client *c)
{
    c->role = (enum role)below(ROLES);
    c->n_acts = 0;
    c->next_sid = 1;
    c->is_done = false;
    c->out_n = c->out_sent = 0;
    c->next_ns = 0;
    c->end_ns = now_ns() + below(3000) * UINT64_C(1000000);
    n_played[c->role]++;
    dial(c, c->role == DEAF ? 4096 : 0);
    if (c->role != HALF_CONNECT && c->role != GARBAGE) {
        greet(c);
    }
}

static void act_sub_storm(struct client *c)
{
    for (unsigned i = 0; i < 50; i++) {
        switch (below(6)) {
        case 0:
            say(c, "UNSUB %u\r\n", 1 + below(c->next_sid));
            break;
        case 1:
            say(c, "UNSUB %u %u\r\n", 1 + below(c->next_sid), 1 + below(5));
            break;
        case 2:
            say(c, "SUB chaos.%u.* group%u %u\r\n", below(20), below(3), c->next_sid++);
            break;
        case 3:
            say(c, "SUB own.%u.%u %u\r\n", c->id, below(1000), c->next_sid++);
            break;
        default:
            say(c, "SUB chaos.%u.%u %u\r\n", below(20), below(20), c->next_sid++);
        }
    }
    say(c, "PING\r\n");
}

static void act_pub_storm(struct client *c)
{
    static const size_t sizes[] = {0, 1, 16, 16, 16, 16, 200, 200, 500, 2000};
    char subject[64];

    for (unsigned i = 0; i < 20; i++) {
        snprintf(subject, sizeof(subject), "chaos.%u.%u%s", below(20), below(20),
                 below(20) ? "" : " chaos.1.1");
        publish(c, subject, below(200) ? sizes[below(10)] : 100000);
    }
    if (below(2)) {
        say(c, "HPUB chaos.1.1 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nxx\r\n");
    }
    say(c, "PING\r\n");
}

static void act_member(struct client *c)
{
    if (c->n_acts % 4 == 0) {
        say(c, "SUB chaos.> team %u\r\n", c->next_sid);
    } else if (c->n_acts % 4 == 3) {
        say(c, "UNSUB %u\r\nPING\r\n", c->next_sid++);
    } else {
        publish(c, "chaos.2.2", below(100));
    }
}

static void act_polite(struct client *c)
{
    if (c->n_acts == 0) {
        say(c, "SUB chaos.%u.> 1\r\nSUB own.%u 2\r\nPING\r\n", below(20), c->id);
    }
    publish(c, "chaos.3.3 own.1", below(300));
    say(c, "PING\r\n");
}

static void add_garbage(struct client *c)
{
    char bytes[2000];

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)below(256);
    }
    if (below(2)) {
        say(c, "PING");
    }
    add(c, bytes, below(sizeof(bytes)));
}

/* Returns whether this was the last act. */
static bool act(struct client *c)
{
    switch (c->role) {
    case HIT_AND_RUN:
        return true;
    case HALF_CONNECT:
        greet(c);
        cut(c);
        return below(3) == 0;
    case HALF_LINE:
        act_sub_storm(c);
        cut(c);
        return below(2);
    case HALF_PAYLOAD:
        say(c, "PUB chaos.1.1 %u\r\n", 1 + below(1000000));
        add_payload(c, below(200000));
        return below(2);
    case SUB_STORM:
        act_sub_storm(c);
        break;
    case PUB_STORM:
        act_pub_storm(c);
        break;
    case DEAF:
        if (c->n_acts == 0) {
            say(c, "SUB chaos.> 1\r\nSUB chaos.> deaf 2\r\n");
        }
        break;
    case MEMBER:
        act_member(c);
        break;
    case GARBAGE:
        add_garbage(c);
        break;
    case HALF_CLOSE:
        act_pub_storm(c);
        if (!c->is_done && c->n_acts > 2 && c->out_n < OUT_BYTES / 2) {
            send_out(c);
            shutdown(c->fd, SHUT_WR);
            c->is_done = true;
        }
        break;
    default:
        act_polite(c);
    }
    return false;
}

static void play(struct client *c, uint64_t now)
{
    if (c->fd < 0) {
        reborn(c);
    }
    bool is_last = now > c->end_ns;
    if (!is_last && now >= c->next_ns && c->out_n == 0 && !c->is_done) {
        is_last = act(c);
        c->n_acts++;
        c->next_ns = now + below(c->role == PUB_STORM || c->role == HALF_CLOSE ? 1000 : 200) *
                               UINT64_C(1000000);
    }
    if (!c->is_done) {
        send_out(c);
    }
    if (c->role != DEAF && !read_in(c, below(50) ? SIZE_MAX : 100)) {
        n_closed_by_server++;
        is_last = true;
    }
    if (is_last) {
        hang_up(c, below(2));
    }
}

static void run_chaos(uint64_t end_ns)
{
    for (uint64_t now; (now = now_ns()) < end_ns;) {
        for (unsigned i = 0; i < 64; i++) {
            play(&clients[below(n_clients)], now);
        }
        usleep(500);
    }
}

/* ---- the other modes ---- */

static void watch(struct client *c)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e)) {
        fail("epoll_ctl");
    }
}

static void act_load(struct client *c)
{
    char subject[64];

    for (unsigned i = 0; i < 20; i++) {
        snprintf(subject, sizeof(subject), "load.%u", (c->id + i) % n_clients);
        publish(c, subject, i % 5 == 0 ? 3000 : 100);
    }
}

static void act_index(struct client *c)
{
    for (unsigned i = 0; i < 50; i++) {
        unsigned r = below(1000000);
        char subject[64];

        snprintf(subject, sizeof(subject), "i%u.%u.%u.%u", r % 7, r % 13, below(4) ? r : r % 100,
                 c->id);
        switch (below(8)) {
        case 0:
            say(c, "SUB i%u.*.%u.> %u\r\n", r % 7, r % 100, c->next_sid++);
            break;
        case 1:
            say(c, "SUB %s q%u %u\r\n", subject, r % 3, c->next_sid++);
            break;
        case 2:
        case 3:
            say(c, "SUB %s %u\r\n", subject, c->next_sid++);
            break;
        case 4:
            publish(c, subject, below(50));
            break;
        default: // most are gone soon
            say(c, "UNSUB %u\r\n", c->next_sid > 40 ? c->next_sid - 40 + below(40) : 1);
            say(c, "UNSUB %u\r\n", 1 + below(c->next_sid));
        }
    }
    say(c, "PING\r\n");
}

static void run_events(uint64_t end_ns, void (*more)(struct client *c), unsigned n_open)
{
    struct epoll_event events[256];

    while (n_open && (end_ns == 0 || now_ns() < end_ns)) {
        int n = epoll_wait(epoll, events, 256, 100);

        for (int i = 0; i < n; i++) {
            struct client *c = events[i].data.ptr;

            if (c->fd < 0) {
                continue;
            }
            if (!read_in(c, SIZE_MAX)) {
                n_closed_by_server++;
                n_open--;
                hang_up(c, false);
                continue;
            }
            send_out(c);
            for (unsigned k = 0; k < 20 && c->out_n == 0; k++) { // then another one's turn
                more(c);
                send_out(c);
            }
            struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
            epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &e); // asks for the same event again
        }
    }
}

static void run_busy(uint64_t end_ns, void (*more)(struct client *c))
{
    for (unsigned i = 0; i < n_clients; i++) {
        dial(&clients[i], 0);
        say(&clients[i], "CONNECT {\"verbose\":false}\r\nSUB load.%u 1\r\nSUB load.%u all 2\r\n", i,
            i);
        watch(&clients[i]);
    }
    printf("ready\n");
    fflush(stdout);
    run_events(end_ns, more, n_clients);
}

static void run_crowd(uint64_t end_ns)
{
    for (unsigned i = 0; i < n_clients; i++) {
        dial(&clients[i], 0);
        if (send(clients[i].fd, "C", 1, MSG_NOSIGNAL) != 1) {
            fail("send");
        }
    }
    printf("ready\n");
    fflush(stdout);
    while (end_ns == 0 || now_ns() < end_ns) {
        usleep(10000);
    }
}

static void start(unsigned n)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
    n_clients = n;
    clients = calloc(n, sizeof(*clients));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!clients || epoll < 0) {
        fail("start");
    }
    for (unsigned i = 0; i < n; i++) {
        clients[i].fd = -1;
        clients[i].id = i;
        clients[i].next_sid = 3;
        clients[i].out = malloc(OUT_BYTES); // touched when used
        if (!clients[i].out) {
            fail("start");
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: storm PORT chaos|crowd|load|index CLIENTS SECONDS SEED\n");
        return 2;
    }
    double seconds = strtod(argv[4], NULL);
    uint64_t end_ns = seconds > 0 ? now_ns() + (uint64_t)(seconds * 1e9) : 0;

    server.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    seed = strtoul(argv[5], NULL, 10) * 7919 + 1;
    start((unsigned)strtoul(argv[3], NULL, 10));
    switch (argv[2][1]) {
    case 'h':
        run_chaos(end_ns);
        break;
    case 'r':
        run_crowd(end_ns);
        break;
    case 'o':
        run_busy(end_ns, act_load);
        break;
    default:
        run_busy(end_ns, act_index);
    }
    for (unsigned i = 0; i < n_clients; i++) {
        if (clients[i].fd >= 0) {
            hang_up(&clients[i], below(2));
        }
    }
    printf("connected %llu\nclosed_by_server %llu\nbytes_out %llu\nbytes_in %llu\n",
           (unsigned long long)n_connected, (unsigned long long)n_closed_by_server,
           (unsigned long long)n_bytes_out, (unsigned long long)n_bytes_in);
    for (unsigned i = 0; i < ROLES && n_played[i]; i++) {
        printf("%s %llu\n", role_names[i], (unsigned long long)n_played[i]);
    }
    return 0;
}
