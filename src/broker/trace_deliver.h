/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery of a message that is traced: as broker/deliver.h does it, but each subscription by
 * itself, and those who may not have the message are asked, too, so that the trace tells why. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct account;
struct delivery;
struct msg;

/** The part of `deliver` that writes; what is handled afterwards is up to the caller. @return  as
 * for deliver. Thread: a worker.  Locks: the account's index (read). */
size_t trace_deliver(struct delivery *d, struct account *a, struct msg *m, uint64_t except);
