/* SPDX-License-Identifier: Apache-2.0 */
/* Accepting connections, a bounded number per turn so that one burst does not starve the rest. */
#include "io/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/os_error.h"
#include "io/addr.h"
#include "io/worker.h"

#define FIRST_DELAY_NS (10 * CLOCK_MS_NS)
#define LAST_DELAY_NS (1000 * CLOCK_MS_NS)
#define ACCEPTS_PER_EVENT 64

static int open_socket(const struct addrinfo *ai)
{
    int one = 1;
    int zero = 0;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return -errno;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); // accepted sockets inherit it
    if (ai->ai_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    }
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, SOMAXCONN)) {
        int e = errno;

        close(fd);
        return -e;
    }
    return fd;
}

/* The IPv4 wildcard means every address: IPv6 too where there is any. */
static int open_host(const char *host, uint16_t port, int *lookup_error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list;
    char service[8];
    bool is_wildcard = strcmp(host, "0.0.0.0") == 0;

    snprintf(service, sizeof(service), "%u", port);
    if (is_wildcard && getaddrinfo("::", service, &hints, &list) == 0) {
        int fd = open_socket(list);

        freeaddrinfo(list);
        if (fd >= 0 || fd == -EADDRINUSE) {
            *lookup_error = 0;
            return fd;
        }
    }
    *lookup_error = getaddrinfo(host, service, &hints, &list);
    if (*lookup_error) {
        return -1;
    }
    int fd = open_socket(list);
    freeaddrinfo(list);
    return fd;
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof(ss);
    struct sockaddr_in in;

    if (getsockname(fd, (struct sockaddr *)&ss, &n)) {
        return 0;
    }
    memcpy(&in, &ss, sizeof(in)); // the port is at the same place in both families
    return ntohs(in.sin_port);
}

enum status listener_open(struct listener *l, struct worker *w, const char *host, uint16_t port,
                          const char *kind, char *why, size_t why_size)
{
    int e;
    int fd = open_host(host, port, &e);

    if (e) {
        snprintf(why, why_size, "listen tcp: lookup %s: %s", host,
                 e == EAI_NONAME || e == EAI_NODATA ? "no such host" : gai_strerror(e));
        return ST_FAILED;
    }
    if (fd < 0) {
        snprintf(why, why_size, "listen tcp %s:%u: %s: %s", host, port,
                 fd == -EADDRINUSE || fd == -EADDRNOTAVAIL || fd == -EACCES ? "bind" : "listen",
                 os_error(-fd).text);
        return (enum status)fd;
    }
    *l = (struct listener){.worker = w, .kind = kind, .fd = fd, .delay_ns = FIRST_DELAY_NS};
    l->port = bound_port(fd);
    snprintf(l->address, sizeof(l->address), strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
             l->port);
    e = uv_poll_init(&w->loop, &l->poll, fd);
    if (e) {
        close(fd);
        l->fd = -1;
        snprintf(why, why_size, "%s", uv_strerror(e));
        return (enum status)e;
    }
    l->poll.data = l;
    return ST_OK;
}

/* ---- Unix sockets ---- */

/* A socket that nobody listens on any more, left by a server that had no time to tidy up. */
static bool is_stale(const struct sockaddr_un *to)
{
    struct stat info;

    if (lstat(to->sun_path, &info) || !S_ISSOCK(info.st_mode)) {
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_refused =
        fd >= 0 && connect(fd, (const struct sockaddr *)to, sizeof(*to)) && errno == ECONNREFUSED;
    if (fd >= 0) {
        close(fd);
    }
    return is_refused;
}

static int bind_unix(const char *path, mode_t mode)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return -errno;
    }
    if (strlen(path) >= sizeof(to.sun_path)) {
        close(fd);
        return -ENAMETOOLONG;
    }
    memcpy(to.sun_path, path, strlen(path));
    if (is_stale(&to)) {
        unlink(path);
    }
    /* Nobody gets in before listen(2), so the mode is right in time. */
    if (bind(fd, (struct sockaddr *)&to, sizeof(to)) || chmod(path, mode) ||
        listen(fd, SOMAXCONN)) {
        int e = errno;

        close(fd);
        return -e;
    }
    return fd;
}

enum status listener_open_unix(struct listener *l, struct worker *w, const char *path,
                               unsigned mode, const char *kind)
{
    int fd = bind_unix(path, mode);

    if (fd < 0) {
        return (enum status)fd;
    }
    *l = (struct listener){
        .worker = w, .kind = kind, .fd = fd, .delay_ns = FIRST_DELAY_NS, .is_unix = true};
    snprintf(l->address, sizeof(l->address), "%s", path);
    int e = uv_poll_init(&w->loop, &l->poll, fd);
    if (e) {
        close(fd);
        l->fd = -1;
        return (enum status)e;
    }
    l->poll.data = l;
    return ST_OK;
}

/* ---- sockets from elsewhere ---- */

static int read_socket_option(int fd, int option)
{
    int value = -1;
    socklen_t n = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, option, &value, &n) ? -1 : value;
}

/* @return  what is wrong with the socket; NULL: nothing */
static const char *judge(int fd, struct sockaddr_storage *at)
{
    socklen_t n = sizeof(*at);

    if (getsockname(fd, (struct sockaddr *)at, &n)) {
        return errno == ENOTSOCK ? "it is no socket" : status_text((enum status) - errno);
    }
    if (at->ss_family != AF_INET && at->ss_family != AF_INET6 && at->ss_family != AF_UNIX) {
        return "it is neither a TCP nor a Unix socket";
    }
    if (read_socket_option(fd, SO_TYPE) != SOCK_STREAM) {
        return "it is no stream socket";
    }
    return read_socket_option(fd, SO_ACCEPTCONN) == 1 ? NULL : "it does not listen";
}

static void describe(struct listener *l, const struct sockaddr_storage *at)
{
    struct addr a = addr_of(at);
    char ip[ADDR_TEXT_MAX];

    l->is_unix = at->ss_family == AF_UNIX;
    if (!l->is_unix) {
        addr_format_ip(&a, ip);
        l->port = a.port;
        snprintf(l->address, sizeof(l->address), a.family == AF_INET6 ? "[%s]:%u" : "%s:%u", ip,
                 a.port);
        return;
    }
    struct sockaddr_un un;
    memcpy(&un, at, sizeof(un));
    bool is_abstract = !un.sun_path[0];
    snprintf(l->address, sizeof(l->address), "%s%.*s", is_abstract ? "@" : "",
             (int)sizeof(un.sun_path) - is_abstract, un.sun_path + is_abstract);
}

/* What open_socket sets, as far as a socket can still take it. */
static void prepare(int fd, bool is_unix)
{
    int one = 1;

    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (!is_unix) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    }
}

enum status listener_adopt(struct listener *l, struct worker *w, int take_fd, const char *kind,
                           char *why, size_t why_size)
{
    struct sockaddr_storage at = {0};
    const char *wrong = judge(take_fd, &at);
    int e = 0;

    if (!wrong) {
        *l = (struct listener){.worker = w,
                               .kind = kind,
                               .fd = take_fd,
                               .delay_ns = FIRST_DELAY_NS,
                               .is_adopted = true};
        describe(l, &at);
        prepare(take_fd, l->is_unix);
        e = uv_poll_init(&w->loop, &l->poll, take_fd);
    }
    if (wrong || e) {
        snprintf(why, why_size, "%s", wrong ? wrong : uv_strerror(e));
        close(take_fd);
        l->fd = -1;
        return ST_FAILED;
    }
    l->poll.data = l;
    return ST_OK;
}

/* ---- accepting ---- */

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_backoff_over(struct timer *t)
{
    struct listener *l = CONTAINER_OF(t, struct listener, backoff);

    uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

static void pause_accepting(struct listener *l, int error)
{
    log_error("Temporary %s Accept Error(accept tcp %s: accept4: %s), sleeping %dms", l->kind,
              l->address, os_error(error).text, (int)(l->delay_ns / CLOCK_MS_NS));
    uv_poll_stop(&l->poll);
    worker_set_timer(l->worker, &l->backoff, clock_now_ns() + l->delay_ns);
    l->delay_ns = l->delay_ns * 2 < LAST_DELAY_NS ? l->delay_ns * 2 : LAST_DELAY_NS;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct listener *l = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_EVENT && l->fd >= 0; i++) {
        struct sockaddr_storage from;
        socklen_t n = sizeof(from);
        int fd = accept4(l->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            l->delay_ns = FIRST_DELAY_NS;
            l->on_accept(l, fd, &from);
            continue;
        }
        switch (errno) {
        case EAGAIN:
        case EINVAL: // listener_refuse
            return;
        case EINTR:
        case ECONNABORTED:
            break;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            pause_accepting(l, errno);
            return;
        default:
            log_error("%s Accept error: %s", l->kind, os_error(errno).text);
            return;
        }
    }
}

void listener_start(struct listener *l,
                    void (*on_accept)(struct listener *l, int fd, const struct sockaddr_storage *),
                    void *arg)
{
    l->on_accept = on_accept;
    l->arg = arg;
    l->backoff.fire = on_backoff_over;
    uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

void listener_refuse(struct listener *l)
{
    if (!l->is_adopted) {
        shutdown(l->fd, SHUT_RDWR);
    }
}

void listener_close(struct listener *l)
{
    if (l->fd < 0) {
        return;
    }
    worker_clear_timer(l->worker, &l->backoff);
    uv_close((uv_handle_t *)&l->poll, NULL); // leaves the loop before the number is free
    close(l->fd);
    l->fd = -1;
    if (l->is_unix && !l->is_adopted) {
        unlink(l->address);
    }
    log_debug("%s accept loop exiting..", l->kind);
}
