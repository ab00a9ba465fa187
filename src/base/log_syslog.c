/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to a syslog daemon. Two formats: the one of a local daemon (BSD time, no host name),
 * which is used on every Unix socket, and the one of a remote daemon (RFC 3339 time and host name).
 * The facility is daemon for the local daemon and kern for a URL. Sockets never block: a line that
 * cannot be handed over is lost rather than holding up the server. */
#include "base/log_syslog.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/os_error.h"
#include "base/status.h"
#include "base/str.h"

#define OPEN_TIMEOUT_MS 5000
#define WRITE_TIMEOUT_MS 50
#define FACILITY_KERN 0
#define FACILITY_DAEMON 3

struct log_syslog {
    int fd; // -1: the connection is down
    int type;
    bool is_unix;
    int facility;
    int64_t retry_ns; // monotonic time before which a lost connection is not tried anew
    struct sockaddr_storage address;
    socklen_t address_len;
    char *tag;
    char host[256];
};

/* Severities that nats-server uses for its levels. */
static int severity(enum log_level level)
{
    switch (level) {
    case LOG_INF:
    case LOG_TRC:
        return 5;
    case LOG_DBG:
        return 7;
    case LOG_WRN:
        return 4;
    case LOG_ERR:
        return 3;
    case LOG_FTL:
        return 2;
    }
    UNREACHABLE();
}

static struct log_syslog *syslog_new(const char *tag, int facility)
{
    struct log_syslog *s = mem_zalloc(sizeof(*s));

    s->fd = -1;
    s->facility = facility;
    s->tag = mem_strndup(tag, strlen(tag));
    if (gethostname(s->host, sizeof(s->host) - 1) != 0) {
        snprintf(s->host, sizeof(s->host), "localhost");
    }
    return s;
}

void log_syslog_close(struct log_syslog *s)
{
    if (!s) {
        return;
    }
    if (s->fd >= 0) {
        close(s->fd);
    }
    mem_free(s->tag);
    mem_free(s);
}

/* Connects to s->address, waiting at most timeout_ms for a connection that takes time. */
static enum status dial(struct log_syslog *s, int timeout_ms)
{
    int err = 0;
    int fd = socket(s->address.ss_family, s->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return (enum status)(-errno);
    }
    if (connect(fd, (const struct sockaddr *)&s->address, s->address_len) != 0) {
        err = errno;
    }
    if (err == EINPROGRESS && timeout_ms > 0) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        socklen_t len = sizeof(err);

        if (poll(&p, 1, timeout_ms) <= 0) {
            err = ETIMEDOUT;
        } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0) {
            err = errno;
        }
    }
    if (err && err != EINPROGRESS) {
        close(fd);
        return (enum status)(-err);
    }
    s->fd = fd;
    return ST_OK;
}

static bool set_unix_path(struct log_syslog *s, struct str path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (path.n >= sizeof(address.sun_path)) {
        return false;
    }
    memcpy(address.sun_path, path.p, path.n);
    memcpy(&s->address, &address, sizeof(address));
    s->address_len = sizeof(address);
    s->type = type;
    s->is_unix = true;
    return true;
}

enum status log_syslog_open_local(const char *tag, struct log_syslog **out, struct diag *d)
{
    static const char *const places[] = {"/dev/log", "/var/run/syslog", "/var/run/log"};
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
    struct log_syslog *s = syslog_new(tag, FACILITY_DAEMON);

    for (size_t t = 0; t < ARRAY_SIZE(types); t++) {
        for (size_t p = 0; p < ARRAY_SIZE(places); p++) {
            if (set_unix_path(s, str_of(places[p]), types[t]) &&
                dial(s, OPEN_TIMEOUT_MS) == ST_OK) {
                *out = s;
                return ST_OK;
            }
        }
    }
    log_syslog_close(s);
    diag_error(d, NULL, "error connecting to syslog: \"Unix syslog delivery error\"");
    return ST_FAILED;
}

/* Splits "host:port" or "[v6]:port" into two NUL-terminated copies; false without a port. */
static bool split_address(struct str address, char host[256], char port[32])
{
    const char *colon = memrchr(address.p, ':', address.n);
    struct str h = {.p = address.p, .n = colon ? (size_t)(colon - address.p) : 0};

    if (!colon || h.n >= 256 || address.n - h.n - 1 >= 32) {
        return false;
    }
    if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']') {
        h = (struct str){.p = h.p + 1, .n = h.n - 2};
    }
    snprintf(host, 256, "%.*s", STR_ARG(h));
    snprintf(port, 32, "%.*s", (int)(address.n - (size_t)(colon + 1 - address.p)), colon + 1);
    return true;
}

static enum status dial_internet(struct log_syslog *s, const char *network, struct str address,
                                 struct diag *d)
{
    char host[256];
    char port[32];
    struct addrinfo hints = {.ai_socktype = s->type};
    struct addrinfo *found = NULL;
    enum status st = ST_FAILED;

    if (!split_address(address, host, port)) {
        diag_error(d, NULL, "error connecting to syslog: \"dial %s: %s%.*s%s\"", network,
                   address.n ? "address " : "", STR_ARG(address),
                   address.n ? ": missing port in address" : "missing address");
        return ST_FAILED;
    }
    int gai = getaddrinfo(host[0] ? host : "localhost", port, &hints, &found);
    if (gai != 0) {
        diag_error(d, NULL, "error connecting to syslog: \"dial %s: lookup %s: %s\"", network, host,
                   gai == EAI_NONAME ? "no such host" : gai_strerror(gai));
        return ST_FAILED;
    }
    for (struct addrinfo *a = found; a && st != ST_OK; a = a->ai_next) {
        memcpy(&s->address, a->ai_addr, a->ai_addrlen);
        s->address_len = a->ai_addrlen;
        st = dial(s, OPEN_TIMEOUT_MS);
    }
    freeaddrinfo(found);
    if (st != ST_OK) {
        diag_error(d, NULL, "error connecting to syslog: \"dial %s %.*s: connect: %s\"", network,
                   STR_ARG(address), os_error(-(int)st).text);
        return ST_FAILED;
    }
    return ST_OK;
}

static enum status dial_unix(struct log_syslog *s, struct str path, struct diag *d)
{
    enum status st = (enum status)(-ENAMETOOLONG);

    if (set_unix_path(s, path, SOCK_STREAM)) {
        st = dial(s, OPEN_TIMEOUT_MS);
    }
    if (st != ST_OK) {
        diag_error(d, NULL, "error connecting to syslog: \"dial unix %.*s: connect: %s\"",
                   STR_ARG(path), os_error(-(int)st).text);
        return ST_FAILED;
    }
    return ST_OK;
}

enum status log_syslog_open_url(const char *url, const char *tag, struct log_syslog **out,
                                struct diag *d)
{
    struct str rest = str_of(url);
    const char *colon = strchr(url, ':');
    struct str scheme = {.p = url, .n = colon ? (size_t)(colon - url) : 0};
    struct log_syslog *s = syslog_new(tag, FACILITY_KERN);
    enum status st;

    rest.p += colon ? scheme.n + 1 : 0;
    rest.n -= colon ? scheme.n + 1 : 0;
    if (str_starts_with(rest, STR("//"))) {
        rest.p += 2;
        rest.n -= 2;
    }
    if (str_equal(scheme, STR("unix"))) {
        st = dial_unix(s, rest, d);
    } else if (str_equal(scheme, STR("udp")) || str_equal(scheme, STR("tcp"))) {
        bool is_udp = scheme.p[0] == 'u';

        rest.n = strcspn(rest.p, "/?");
        s->type = is_udp ? SOCK_DGRAM : SOCK_STREAM;
        st = dial_internet(s, is_udp ? "udp" : "tcp", rest, d);
    } else {
        diag_error(d, NULL, "error invalid network type: \"%.*s\"", STR_ARG(scheme));
        st = ST_FAILED;
    }
    if (st != ST_OK) {
        log_syslog_close(s);
        return ST_FAILED;
    }
    *out = s;
    return ST_OK;
}

/* Everything before the message. */
static size_t format_head(const struct log_syslog *s, enum log_level level, char *out, size_t size)
{
    int priority = s->facility * 8 + severity(level);
    time_t now = (time_t)(clock_wall_ns() / CLOCK_SEC_NS);
    char when[40];
    struct tm tm;
    int n;

    localtime_r(&now, &tm);
    if (s->is_unix) {
        (void)strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
        n = snprintf(out, size, "<%d>%s %s[%d]: ", priority, when, s->tag, (int)getpid());
    } else {
        long offset = tm.tm_gmtoff / 60; // [min] east of Greenwich
        char zone[32] = "Z";

        if (offset) {
            snprintf(zone, sizeof(zone), "%c%02ld:%02ld", offset < 0 ? '-' : '+', labs(offset) / 60,
                     labs(offset) % 60);
        }
        (void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
        n = snprintf(out, size, "<%d>%s%s %s %s[%d]: ", priority, when, zone, s->host, s->tag,
                     (int)getpid());
    }
    return (size_t)n < size ? (size_t)n : size - 1;
}

/* Hands the parts over; a stream that took only a part gets a little time for the rest. */
static enum status send_parts(struct log_syslog *s, struct iovec *parts, size_t n_parts)
{
    struct msghdr msg = {.msg_iov = parts, .msg_iovlen = n_parts};
    bool is_started = false;

    while (msg.msg_iovlen > 0) {
        ssize_t n = sendmsg(s->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN && is_started) {
            struct pollfd p = {.fd = s->fd, .events = POLLOUT};

            if (poll(&p, 1, WRITE_TIMEOUT_MS) > 0) {
                continue;
            }
            return (enum status)(-ETIMEDOUT); // the daemon would take the next line for the rest
        }
        if (n < 0) {
            return (enum status)(-errno);
        }
        is_started = true;
        while (msg.msg_iovlen > 0 && (size_t)n >= msg.msg_iov->iov_len) {
            n -= (ssize_t)msg.msg_iov->iov_len;
            msg.msg_iov++;
            msg.msg_iovlen--;
        }
        if (msg.msg_iovlen > 0) {
            msg.msg_iov->iov_base = (char *)msg.msg_iov->iov_base + n;
            msg.msg_iov->iov_len -= (size_t)n;
        }
    }
    return ST_OK;
}

/* Connects anew after a failure; at most once a second, without waiting for the outcome. */
static bool redial(struct log_syslog *s)
{
    int64_t now = clock_now_ns();

    if (s->type == SOCK_DGRAM && !s->is_unix && s->fd >= 0) {
        return true; // the error was the answer to an earlier datagram; the socket is good
    }
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
    if (now < s->retry_ns) {
        return false;
    }
    s->retry_ns = now + CLOCK_SEC_NS;
    return dial(s, 0) == ST_OK;
}

void log_syslog_write(struct log_syslog *s, enum log_level level, struct str message)
{
    char head[512];
    size_t n_head = format_head(s, level, head, sizeof(head));

    for (int attempt = 0; attempt < 2; attempt++) {
        char end = '\n';
        struct iovec parts[] = {{.iov_base = head, .iov_len = n_head},
                                {.iov_base = (char *)(uintptr_t)message.p, .iov_len = message.n},
                                {.iov_base = &end, .iov_len = 1}};

        if (s->fd >= 0) {
            enum status st = send_parts(s, parts, ARRAY_SIZE(parts));

            if (st == ST_OK || st == (enum status)(-EAGAIN) || st == (enum status)(-EMSGSIZE)) {
                return;
            }
        }
        if (!redial(s)) {
            return;
        }
    }
}
