/* SPDX-License-Identifier: Apache-2.0 */
/* The system account: what it is told (event.h, account_watch.h, statsz.h) and what it may ask
 * (services.h). All of it is done by control, which has others deliver (outbox.h); only what
 * depends on who asks is answered by the worker that delivers the request. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/nuid.h"
#include "base/ptrset.h"
#include "base/str.h"
#include "system/outbox.h"
#include "system/request.h"
#include "system/statsz.h"

struct account;
struct delivery;
struct monitor;
struct peer_ops;
struct service;
struct sub;

struct system {
    struct monitor *monitor;
    struct account *account; // NULL: there is none, and nothing is told nor served
    struct str server_id;
    struct outbox outbox;
    struct nuid nuid;
    struct ptrset watches; // struct account_watch, by account
    struct statsz statsz;
    struct request_queue requests;
    struct service *services; // n_services of them
    size_t n_services;
    struct sub **subs; // of all services; references
    size_t n_subs;
    /* What system_reload calls; set by the server. */
    void (*reload)(void *arg, void (*done)(void *done_arg, struct str error), void *done_arg);
    void *reload_arg;
};

/**
 * Begin to tell and to serve the system account, monitor->system.
 * @param server_id  outlives it, as do the others
 * @param delivery   of the worker that delivers what control publishes
 * Thread: control, before the workers run.
 */
void system_open(struct system *s, struct monitor *monitor, struct str server_id,
                 struct delivery *delivery);

/** End all. Thread: control, after the workers ended. */
void system_close(struct system *s);

/** Serve one more subject. @param take_sub  owned by the system from now on. For the other files;
 * thread: control, before the workers run. */
void system_add_sub(struct system *s, struct sub *take_sub);

/** Have the server read its configuration again. @param done  called now or later, with what went
 * wrong; empty: nothing. Thread: control. */
void system_reload(struct system *s, void (*done)(void *arg, struct str error), void *arg);

/** Tell that no new clients are let in. Thread: control. */
void system_tell_lame_duck(struct system *s);

/** Tell that the server ends; nothing is told after that. Call done(arg) when it is out: at once if
 * there is nobody to tell it to. Thread: control. */
void system_tell_shutdown(struct system *s, void (*done)(void *arg), void *arg);

/** $SYS.REQ.USER.*.INFO: as whom a connection logged in and what it may do (spec 06 §6.5). Every
 * account imports it for its clients. */
extern const struct peer_ops user_info_ops;

/** $SYS.DEBUG.SUBSCRIBERS: how many subscriptions of the requestor's account a subject has (spec 05
 * §13). */
extern const struct peer_ops subscribers_ops;
