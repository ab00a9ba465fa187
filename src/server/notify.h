/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the service manager how we are, by the protocol of sd_notify: datagrams to the socket
 * that NOTIFY_SOCKET names. Without it nothing is told, and nothing here can fail: a manager that
 * does not listen is no reason not to serve. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include "io/timer.h"

struct server;

#define NOTIFY_TEXT_MAX 320

struct notify {
    struct server *server;
    int fd; // -1: nobody wants to know
    struct sockaddr_un to;
    size_t n_to;                  // [bytes] of `to`
    char unsent[NOTIFY_TEXT_MAX]; // what the manager's queue had no room for; "": nothing
    struct timer retry;           // set while there is something
    struct timer watchdog;        // set once we are ready, if the manager has one
    int64_t interval_ns;          // between signs of life; 0: the manager has no watchdog
    unsigned n_awaited;           // workers that have not answered since the last look
    bool has_warned;              // a failure has been logged
    bool is_stopping;
};

/**
 * Take NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment.
 * Thread: control, before others run (then control, for all functions here).
 */
void notify_open(struct server *s);

/**
 * READY=1: the start, or a reload, is complete. The first call begins the signs of life: every half
 * of WATCHDOG_USEC all workers are asked, and when the last has answered WATCHDOG=1 is sent; so
 * the manager ends a server of which one worker hangs.
 * @param status  one line for people
 */
void notify_ready(struct notify *n, const char *status);

/** RELOADING=1: a reload begins; notify_ready ends it. */
void notify_reloading(struct notify *n);

/**
 * STOPPING=1: a shutdown or lame duck mode begins. From now on nothing else but signs of life is
 * told.
 * @param status     one line for people
 * @param within_ns  the manager is asked not to lose its patience before; 0: it knows
 */
void notify_stopping(struct notify *n, const char *status, int64_t within_ns);

/** Close the socket. When the loop of the control thread has ended. */
void notify_close(struct notify *n);
