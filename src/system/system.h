/* SPDX-License-Identifier: Apache-2.0 */
/* Services of the system account that the server itself provides. */
#pragma once

#include <stddef.h>

struct account;
struct peer_ops;
struct sub;

/** A row for each service, in system.c. */
struct system_service {
    const char *subject;
    const struct peer_ops *ops;
};

struct system_services {
    struct account *account; // NULL: there is none, and no services
    struct sub **subs;       // of the services, references
};

/**
 * Serve the requests of an account.
 * @param account  NULL: nothing is served
 * Thread: control, before the workers run.
 */
void system_open(struct system_services *s, struct account *account);

/** End all services. Thread: control, after the workers ended. */
void system_close(struct system_services *s);

/** $SYS.REQ.USER.*.INFO: as whom a connection logged in and what it may do (spec 06 §6.5). Every
 * account imports it for its clients. */
extern const struct peer_ops user_info_ops;

/** $SYS.DEBUG.SUBSCRIBERS: how many subscriptions of the requestor's account a subject has (spec 05
 * §13). */
extern const struct peer_ops subscribers_ops;
