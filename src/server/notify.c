/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol is in sd_notify(3). The socket does not block: when the manager's queue is full a
 * change of state is sent again a little later, as a READY that gets lost would be a start that
 * failed; signs of life come again anyway. */
#include "server/notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/os_error.h"
#include "base/str.h"
#include "conf/value.h"
#include "server/server.h"

#define RETRY_NS (50 * CLOCK_MS_NS)
#define USEC_NS INT64_C(1000)

/* ---- sending */

static void warn_once(struct notify *n, const char *what, int error)
{
    if (!n->has_warned) {
        log_warn("Cannot notify the service manager: %s: %s", what, os_error(error).text);
    }
    n->has_warned = true;
}

/* @return  whether there is nothing more to be done about it */
static bool try_send(struct notify *n, const char *text)
{
    if (sendto(n->fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&n->to,
               (socklen_t)n->n_to) >= 0) {
        return true;
    }
    if (errno == EAGAIN || errno == ENOBUFS) {
        return false;
    }
    warn_once(n, "sendto", errno);
    return true;
}

static void send_unsent(struct notify *n)
{
    if (try_send(n, n->unsent)) {
        n->unsent[0] = '\0';
        worker_clear_timer(n->server->control, &n->retry);
    } else {
        worker_set_timer(n->server->control, &n->retry, clock_now_ns() + RETRY_NS);
    }
}

static void on_retry(struct timer *t)
{
    send_unsent(CONTAINER_OF(t, struct notify, retry));
}

/* ---- signs of life */

static void on_alive(void *arg)
{
    struct notify *n = arg;

    if (--n->n_awaited == 0) {
        (void)try_send(n, "WATCHDOG=1");
    }
}

static void answer(struct shard *sh, void *arg)
{
    struct notify *n = arg;

    (void)sh;
    worker_call(n->server->control, on_alive, n);
}

static void look_for_life(struct timer *t)
{
    struct notify *n = CONTAINER_OF(t, struct notify, watchdog);
    struct server *s = n->server;

    if (s->is_shutting_down && s->n_draining == 0) {
        return; // the workers end
    }
    if (n->n_awaited == 0) {
        n->n_awaited = s->n_workers;
        server_post_all(s, answer, n);
    }
    worker_set_timer(s->control, &n->watchdog, clock_now_ns() + n->interval_ns);
}

/* ---- what is told */

void notify_ready(struct notify *n, const char *status)
{
    if (n->fd < 0 || n->is_stopping) {
        return;
    }
    snprintf(n->unsent, sizeof(n->unsent), "READY=1\nSTATUS=%s\nMAINPID=%d", status, (int)getpid());
    send_unsent(n);
    if (n->interval_ns && !timer_is_set(&n->watchdog)) {
        n->watchdog.fire = look_for_life;
        worker_set_timer(n->server->control, &n->watchdog, clock_now_ns() + n->interval_ns);
    }
}

void notify_reloading(struct notify *n)
{
    if (n->fd < 0 || n->is_stopping) {
        return;
    }
    snprintf(n->unsent, sizeof(n->unsent), "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=Reloading",
             (long long)(clock_now_ns() / USEC_NS));
    send_unsent(n);
}

void notify_stopping(struct notify *n, const char *status, int64_t within_ns)
{
    char extend[48] = "";

    if (n->fd < 0) {
        return;
    }
    n->is_stopping = true;
    if (within_ns) {
        snprintf(extend, sizeof(extend), "\nEXTEND_TIMEOUT_USEC=%lld",
                 (long long)(within_ns / USEC_NS));
    }
    snprintf(n->unsent, sizeof(n->unsent), "STOPPING=1\nSTATUS=%s%s", status, extend);
    send_unsent(n);
}

/* ---- open and close */

/* "/path", or "@name" for one that is not in the file system. */
static bool read_address(const char *text, struct notify *n)
{
    size_t length = strlen(text);

    if ((text[0] != '/' && text[0] != '@') || length < 2 || length >= sizeof(n->to.sun_path)) {
        return false;
    }
    n->to = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(n->to.sun_path, text, length);
    n->n_to = offsetof(struct sockaddr_un, sun_path) + length;
    if (text[0] == '@') {
        n->to.sun_path[0] = '\0';
    } else {
        n->n_to++; // the NUL
    }
    return true;
}

/* The environment's variable as a number; 0: there is none. */
static int64_t read_number(const char *name)
{
    const char *text = getenv(name); // NOLINT(concurrency-mt-unsafe): the only thread
    int64_t n;

    return text && value_parse_int(str_of(text), &n) == ST_OK && n > 0 ? n : 0;
}

/* [ns] between signs of life; a watchdog may be that of another process, a shell that started us.
 */
static int64_t read_interval(void)
{
    int64_t usec = read_number("WATCHDOG_USEC");
    int64_t pid = read_number("WATCHDOG_PID");

    if (!usec || usec > INT64_MAX / USEC_NS || (pid && pid != getpid())) {
        return 0;
    }
    int64_t half_ns = usec * USEC_NS / 2;
    return half_ns < CLOCK_MS_NS ? CLOCK_MS_NS : half_ns;
}

static void open_socket(struct notify *n, const char *text)
{
    if (!read_address(text, n)) {
        warn_once(n, text, EAFNOSUPPORT);
        return;
    }
    n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (n->fd < 0) {
        warn_once(n, "socket", errno);
    }
}

void notify_open(struct server *s)
{
    struct notify *n = &s->notify;
    const char *text = getenv("NOTIFY_SOCKET"); // NOLINT(concurrency-mt-unsafe): likewise

    *n = (struct notify){
        .server = s, .fd = -1, .retry.fire = on_retry, .interval_ns = read_interval()};
    if (text && text[0]) {
        open_socket(n, text);
    }
    unsetenv("NOTIFY_SOCKET"); // NOLINT(concurrency-mt-unsafe): likewise
    unsetenv("WATCHDOG_USEC"); // NOLINT(concurrency-mt-unsafe): likewise
    unsetenv("WATCHDOG_PID");  // NOLINT(concurrency-mt-unsafe): likewise
}

void notify_close(struct notify *n)
{
    if (n->fd >= 0) {
        close(n->fd);
    }
    n->fd = -1;
}
