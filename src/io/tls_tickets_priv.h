/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of session tickets: what a client needs to resume its session travels with the client,
 * sealed by a key that only this server has. A key seals for a day, and opens for a day more. */
#pragma once

#include <openssl/types.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"

#define TLS_TICKET_NAME_BYTES 16
#define TLS_TICKET_SECRET_BYTES 32
#define TLS_TICKET_KEY_NS (24 * 3600 * CLOCK_SEC_NS) // for so long a key seals

struct tls_ticket_key {
    unsigned char name[TLS_TICKET_NAME_BYTES]; // in the clear on each ticket
    unsigned char aes[TLS_TICKET_SECRET_BYTES];
    unsigned char mac[TLS_TICKET_SECRET_BYTES];
};

/** The keys of a context. */
struct tls_tickets {
    pthread_mutex_t lock;
    // guarded by: lock
    struct tls_ticket_key now, before;
    int64_t now_since_ns; // monotonic
};

/** Draw the first key. Thread: control. */
void tls_tickets_init(struct tls_tickets *t, int64_t now_ns);

/** Wipe the keys. Thread: the last owner of the context. */
void tls_tickets_deinit(struct tls_tickets *t);

/** Have the tickets of a context sealed by these keys, which are those of its app data.
 * Thread: control. */
void tls_tickets_use(struct tls_tickets *t, SSL_CTX *ssl);

/** Get the key that seals, drawn anew if that is due.
 * @param out  to be wiped by the caller. Thread: any.  Locks: the keys. */
void tls_tickets_get(struct tls_tickets *t, int64_t now_ns, struct tls_ticket_key *out);

/**
 * Find the key that sealed a ticket.
 * @param name    TLS_TICKET_NAME_BYTES
 * @param out     to be wiped by the caller
 * @param is_old  it does not seal any more: the client is to get another ticket
 * @return        false: there is none, or it is too old
 * Thread: any.  Locks: the keys.
 */
MUST_USE bool tls_tickets_find(struct tls_tickets *t, const unsigned char *name, int64_t now_ns,
                               struct tls_ticket_key *out, bool *is_old);
