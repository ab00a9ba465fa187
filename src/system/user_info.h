/* SPDX-License-Identifier: Apache-2.0 */
/* The service $SYS.REQ.USER.*.INFO: tells a connection as whom it logged in and what it may do
 * (spec 06 §6.5). Every account imports it for its own clients. */
#pragma once

struct account;

/**
 * Serve an account's requests for it.
 * @param system  the system account, in whose index the service subscribes for good
 * @return        so that user_info_close can end it
 * Thread: control, before the workers run.
 */
struct sub *user_info_open(struct account *system);

/** End it; NULL is allowed. Thread: control, after the workers ended. */
void user_info_close(struct account *system, struct sub *take_sub);
