/* SPDX-License-Identifier: Apache-2.0 */
/* A client connection: what arrives is parsed and each verb is run by the file named after it. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/str.h"
#include "broker/match.h"
#include "broker/peer.h"
#include "client/sids.h"
#include "conn/conn.h"
#include "io/addr.h"
#include "io/timer.h"
#include "proto/parse.h"

struct account;
struct client_options;
struct delivery;
struct login_rules;
struct msg;
struct op;
struct sub;
struct worker;

/** What INFO tells about the server; strings live as long as the server. */
struct server_identity {
    const char *id; // nkey "N…"
    const char *name;
    const char *version; // the compatible version, which clients check
    const char *xkey;    // curve nkey "X…"
    const char *host;    // as advertised
    uint16_t port;
};

/** What all clients of a server share; constant while the server runs but for the atomics. */
struct client_shared {
    const struct client_options *options;
    const struct login_rules *login;
    struct server_identity identity;
    struct conn_limits limits;
    struct account *global;
    struct delivery **deliveries; // by worker number
    _Atomic uint64_t last_cid;
    _Atomic int64_t n_clients;
    _Atomic uint64_t n_slow_pending, n_slow_deadline; // slow consumers by cause
    _Atomic uint64_t n_stalls;                        // producers stalled
    _Atomic bool is_lame_duck;
};

/** What a client said about itself; allocated by CONNECT. The strings own their bytes. */
struct client_info {
    struct str name, lang, version;
    struct str user, pass, token; // as given, for the login check
    struct str jwt, nkey, sig;    // accepted, of no effect yet
};

struct client {
    struct conn conn;
    struct client_shared *shared;
    struct delivery *delivery;
    struct account *account;
    struct client_info *info; // NULL: no CONNECT yet, or it said nothing of interest
    uint64_t cid;
    struct sids sids;
    struct parser parser;
    struct match_hint hint;
    struct timer timer;                             // authentication, then pings
    int64_t start_ns, last_active_ns, ping_sent_ns; // monotonic
    int64_t rtt_ns;                                 // 0: not known
    int32_t protocol;
    uint8_t pings_out;   // PINGs not answered
    uint32_t stalled_ms; // in this batch
    bool verbose, pedantic, echo, headers, no_responders;
    bool wants_headers; // as CONNECT said; headers = this and ours
    bool got_connect, got_first_ping, is_auth_pending;
    bool needs_fence; // has unsubscribed from what other workers may have encoded messages for
    void (*after_fence)(struct client *c);
    struct sub *limited; // gets a limit after the fence; a reference
    uint32_t limit;
};

/** How clients receive messages. */
extern const struct peer_ops client_peer_ops;

/**
 * Start a client on a socket that was accepted.
 * @param fd  owned by the callee
 * Thread: the worker of the shard.
 */
void client_start(struct client_shared *shared, struct shard *sh, int fd, const struct addr *from);

/**
 * Tell all clients of a shard that asked for it that the server is about to leave (lame duck mode).
 * Thread: the worker of the shard.
 */
void client_announce_lame_duck(struct shard *sh);

/** @return  the client that a connection is part of. */
static inline struct client *client_of(struct conn *c)
{
    return CONTAINER_OF(c, struct client, conn);
}

/* For the other files of client/; thread: the client's worker. */

/** Send -ERR with the text in quotes and close for the reason; the log gets the text too. */
void client_refuse(struct client *c, enum close_reason reason, const char *text);

/** Send -ERR with the text in quotes; the connection goes on. */
void client_send_error(struct client *c, const char *format, ...) PRINTF_LIKE(2, 3);

/** Send +OK if the client is verbose. */
void client_send_ok(struct client *c);

/** Write what its log lines begin with, cut where it is too long. */
void client_label(const struct conn *conn, char out[CONN_LABEL_MAX]);

/** Log a line about this client, its label first. */
void client_log(const struct client *c, enum log_level level, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* One function per verb. The verb files keep to what the protocol says of them (spec 01). */

/** CONNECT. */
void client_connect(struct client *c, struct op *op);
/** Judge the credentials of a CONNECT, then call client_on_login: at once, or after the connection
 * has been suspended while a password was hashed elsewhere. */
void client_login(struct client *c);
/** The verdict of client_login. */
void client_on_login(struct client *c, bool is_ok);
/** PING. */
void client_ping(struct client *c, struct op *op);
/** PONG. */
void client_pong(struct client *c, struct op *op);
/** SUB. */
void client_sub(struct client *c, struct op *op);
/** UNSUB. */
void client_unsub(struct client *c, struct op *op);
/** PUB and HPUB. */
void client_pub(struct client *c, struct op *op);

/** INFO, which only servers have reason to send. */
void client_peer_info(struct client *c, struct op *op);

/** Suspend the client until all that other workers have encoded for it has come, then go on. */
void client_fence(struct client *c, void (*then)(struct client *c));

/** Answer what must not be answered before the messages of closed subscriptions have come. */
void client_answer(struct client *c, void (*answer)(struct client *c));

/** The fence is passed. */
void client_on_fenced(struct conn *conn);

/** Remove a subscription of this client: from the table and from the index. */
void client_remove_sub(struct client *c, struct sub *s);

/** Remove all subscriptions of this client. */
void client_remove_all_subs(struct client *c);

/** Tell all subscriptions whether the client understands headers now. */
void client_update_subs(struct client *c);

/** Send INFO. @param is_connect_info it answers the first PING after CONNECT. */
void client_send_info(struct client *c, bool is_connect_info);

/** Arm the timer for what comes first: authentication, the first ping, or a ping after
 * connecting. */
void client_arm_timer(struct client *c);

/** The timer went off. */
void client_on_timer(struct timer *t);

/** Free what CONNECT said; NULL is allowed. */
void client_info_free(struct client_info *info);

/** Trace one operation that came in, if tracing is on. */
void client_trace_in(const struct client *c, const struct op *op);

/** Trace messages that another worker encoded. */
void client_trace_output(struct conn *conn, struct outq *out);

/** Trace a message written for one of its subscriptions. */
void client_trace_msg(const struct client *c, const struct msg *m, const struct sub *s);

/** Trace something that goes out: "PONG", "OK". */
void client_trace_out(const struct client *c, const char *format, ...) PRINTF_LIKE(2, 3);
