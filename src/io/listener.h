/* SPDX-License-Identifier: Apache-2.0 */
/* A listening socket, TCP or Unix, on a worker's loop. When accepting fails for want of descriptors
 * it waits, 10 ms doubling to 1 s, instead of spinning (spec 02 §5). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/attr.h"
#include "base/status.h"
#include "io/timer.h"

struct worker;

struct listener {
    uv_poll_t poll;
    struct worker *worker;
    const char *kind; // "Client": for log lines
    void (*on_accept)(struct listener *l, int fd, const struct sockaddr_storage *from);
    void *arg; // the owner's
    struct timer backoff;
    int64_t delay_ns;  // next pause after a failed accept
    uint16_t port;     // the port bound, also when asked for any
    char address[128]; // "host:port" or a path, for log lines
    bool is_unix;
    bool is_adopted; // bound elsewhere, and to be used by others when we are gone
    int fd;          // -1: closed, or failed to open
};

/**
 * Bind and listen.
 * @param host  name or address
 * @param port  0: any free port
 * @return  ST_OK; otherwise what the operating system said is in `why` (at least 128 bytes)
 * Thread: the worker, or before it runs (as for all functions here).
 */
MUST_USE enum status listener_open(struct listener *l, struct worker *w, const char *host,
                                   uint16_t port, const char *kind, char *why, size_t why_size);

/**
 * Listen on a Unix socket; the path is removed by listener_close. One that a server left which is
 * gone is replaced.
 * @param path  shorter than 108 bytes
 * @param mode  permissions of the path
 * @return      ST_OK, or what the operating system said
 */
MUST_USE enum status listener_open_unix(struct listener *l, struct worker *w, const char *path,
                                        unsigned mode, const char *kind);

/**
 * Listen on a socket that was bound elsewhere: a service manager listens on it for us, before we
 * start and after we end. So connections are not refused when we stop accepting, they wait; and
 * the path of a Unix socket stays.
 * @param take_fd  owned by the listener from now on, whatever the result
 * @return  ST_OK; otherwise `why` (at least 128 bytes) says what is wrong: only stream sockets that
 *          listen will do, TCP or Unix
 */
MUST_USE enum status listener_adopt(struct listener *l, struct worker *w, int take_fd,
                                    const char *kind, char *why, size_t why_size);

/**
 * Start accepting; each socket is non-blocking, close-on-exec, and owned by on_accept.
 */
void listener_start(struct listener *l,
                    void (*on_accept)(struct listener *l, int fd, const struct sockaddr_storage *),
                    void *arg);

/**
 * From now on connections are refused, if the socket is not an adopted one; listener_close follows,
 * on the listener's own worker.
 * Thread: any, while the listener is open.
 */
void listener_refuse(struct listener *l);

/** Stop accepting and close the socket; new connections are refused, or wait if it is an adopted
 * one. Once is enough, twice is fine. */
void listener_close(struct listener *l);
