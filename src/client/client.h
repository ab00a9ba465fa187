/* SPDX-License-Identifier: Apache-2.0 */
/* A client connection: what arrives is parsed and each verb is run by the file named after it. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/ptrset.h"
#include "base/str.h"
#include "broker/match.h"
#include "broker/msg_origin.h"
#include "broker/party.h"
#include "broker/peer.h"
#include "client/sids.h"
#include "conn/conn.h"
#include "conn/conn_report.h"
#include "conn/conn_stats.h"
#include "io/addr.h"
#include "io/timer.h"
#include "proto/parse.h"

struct account;
struct client_options;
struct delivery;
struct login_proxy;
struct login_rules;
struct login_user;
struct login_verdict;
struct msg;
struct op;
struct rights;
struct imported;
struct sub;
struct tls_context;
struct worker;

/** What INFO and monitoring say of the toolchain, where nats-server says "go1.…". */
#define CLIENT_TOOLCHAIN "none: gnatwren " GNATWREN_VERSION " in C"

/** What INFO tells about the server; strings live as long as the server. */
struct server_identity {
    const char *id; // nkey "N…"
    const char *name;
    const char *version; // the compatible version, which clients check
    const char *xkey;    // curve nkey "X…"
    const char *host;    // as advertised
    uint16_t port;
};

/** What all clients of a server share; constant while the server runs but for the atomics. The
 * identity is that of the start: clients look at that of their home. */
struct client_shared {
    struct server_identity identity;
    struct account *global;
    _Atomic uint64_t last_cid;
    struct conn_stats stats;
    struct conn_watcher *watcher; // is told of clients that come and go; NULL: nobody is
    _Atomic uint64_t tls_window;  // of the rate limit, see client_tls.c
    _Atomic uint64_t n_throttled; // by it, and not reported yet
    _Atomic bool is_lame_duck;
    _Atomic int64_t n_surplus;  // clients to be closed, as a reload lowered max_connections
    _Atomic int64_t n_unpinned; // clients that were, as a reload pinned other certificates
};

/** Where clients live: what those of one worker have in common. What the configuration says is
 * replaced by the worker itself, in a reload. */
struct client_home {
    struct client_shared *shared;
    struct shard *shard;
    struct delivery *delivery;
    const struct client_options *options;
    const struct server_identity *identity; // that INFO tells
    struct login_rules *rules;              // who may come in; a reference
    int64_t auth_timeout_ns;                // from the accept to a good CONNECT
    struct tls_context *tls;                // a reference; NULL: no TLS
    struct timer throttle_report;
    struct conn_limits limits; // as the options say
    char host[ADDR_TEXT_MAX];  // of the client that was told of last (client_party.c, _report.c)
    /* What a reload replaced and others may still look at, until client_home_settle. */
    struct login_rules *retired_rules;
    bool has_new_pins; // while they are adopted
    struct rights **retired;
    size_t n_retired, retired_cap;
};

/** What a client said about itself; allocated by CONNECT. The strings own their bytes. */
struct client_info {
    struct str name, lang, version;
    struct str user, pass, token; // as given, for the login check
    struct str nkey, sig, proxy_sig;
    struct str jwt; // accepted, of no effect yet
};

struct client {
    struct conn conn;
    struct speaker speaker;
    struct client_home *home;
    struct account *account;
    struct msg_origin origin;        // of what it publishes
    const struct login_user *user;   // whom it logged in as, in home->rules; NULL: nobody
    const struct login_proxy *proxy; // by which it came, in home->rules; NULL: by none
    struct rights *rights;           // a reference; NULL: may do all
    struct client_info *info;        // NULL: no CONNECT yet, or it said nothing of interest
    char *nonce;                     // LOGIN_NONCE_BYTES to be signed; NULL: none was sent
    uint64_t cid;
    struct sids sids;
    struct ptrset imports; // what stands behind subscriptions (client_import.c)
    struct parser parser;
    struct match_hint hint;
    struct timer timer;                             // TLS, then authentication, then pings
    int64_t born_ns;                                // when it came, by the clock on the wall
    int64_t start_ns, last_active_ns, ping_sent_ns; // monotonic; the first as born_ns
    int64_t last_ping_ns;                           // when it sent one, monotonic
    int64_t rtt_ns;                                 // 0: not known
    int32_t protocol;
    uint8_t pings_out;   // PINGs not answered
    uint8_t step;        // enum client_step
    bool is_tls_first;   // the handshake came, or is to come, before INFO
    uint32_t stalled_ms; // in this batch
    bool verbose, pedantic, echo, headers, no_responders;
    bool wants_headers; // as CONNECT said; headers = this and ours
    bool got_connect, got_first_ping, is_auth_pending;
    bool has_entered;   // counted by its account
    bool is_told_in;    // the watcher was told that it has entered, not that it has left
    bool wants_account; // to be put into one of its choice, as clients could long ago
    bool needs_fence;   // has unsubscribed from what other workers may have encoded messages for
    void (*after_fence)(struct client *c);
    struct sub *limited; // gets a limit after the fence; a reference
    uint32_t limit;
};

/** What a client waits for before the protocol begins. */
enum client_step {
    CLIENT_STEP_NONE,         // nothing: it has begun
    CLIENT_STEP_PROXY_HEADER, // client_proxy.h
    CLIENT_STEP_EARLY_BYTES,  // client_tls.h: bytes before INFO, for some time
    CLIENT_STEP_FIRST_BYTE,   // the one that tells a handshake from the plain protocol
    CLIENT_STEP_HANDSHAKE,    // its end
};

/** How clients receive messages. */
extern const struct peer_ops client_peer_ops;

/** What others are told of clients. */
extern const struct speaker_ops client_speaker_ops;

/**
 * Furnish the home of a worker's clients.
 * @param take_delivery  owned by the home from now on
 * Thread: control, before the worker runs.
 */
void client_home_init(struct client_home *h, struct client_shared *shared, struct shard *shard,
                      struct delivery *take_delivery, const struct client_options *options);

/**
 * Say who may come in from now on.
 * @param take_rules  owned by the home from now on
 * @param timeout_ns  that a client has for a good CONNECT; 0: the usual time
 * Thread: the worker, or control before it runs.
 */
void client_home_admit(struct client_home *h, struct login_rules *take_rules, int64_t timeout_ns);

/**
 * Say how connections are secured from now on.
 * @param take_tls  owned by the home from now on; NULL: they are not
 * Thread: the worker, or control before it runs.
 */
void client_home_secure(struct client_home *h, struct tls_context *take_tls);

/** Say who the server is from now on. @param id  outlives the home or the next call.
 * Thread: the worker. */
void client_home_identify(struct client_home *h, const struct server_identity *id);

/** @return  [ns] the time that a client has for a good CONNECT. @param configured_ns  0: not.
 * Thread: any. */
int64_t client_auth_timeout_ns(const struct client_options *o, int64_t configured_ns);

/** Take limits and timers from other options, which must outlive the home or the next call.
 * Thread: the worker, or control before it runs. */
void client_home_furnish(struct client_home *h, const struct client_options *options);

/**
 * Adopt what a reload has made of the configuration, for all clients of the home, which has been
 * secured and identified anew before. What is replaced is kept until client_home_settle.
 * @param take_rules  owned by the home from now on
 * Thread: the worker.
 */
void client_home_adopt(struct client_home *h, const struct client_options *options,
                       struct login_rules *take_rules, int64_t auth_timeout_ns);

/** Give up what the last reload replaced: all workers have adopted it. Thread: the worker. */
void client_home_settle(struct client_home *h);

/** Release what a home owns. Thread: control, after the worker ended. */
void client_home_deinit(struct client_home *h);

/**
 * Start a client on a socket that was accepted.
 * @param fd  owned by the callee
 * Thread: the worker.
 */
void client_start(struct client_home *home, int fd, const struct addr *from);

/**
 * Tell all clients of a shard that asked for it that the server is about to leave (lame duck mode).
 * Thread: the worker of the shard.
 */
void client_announce_lame_duck(struct shard *sh);

/** The announce_lame_duck of conn_ops. */
bool client_announce_to_one(struct conn *conn);

/** The report of conn_ops. */
void client_report(struct conn *conn, unsigned what, struct conn_report *out,
                   struct arena *scratch);

/** Tell the watcher that a client has entered; or, if it is in, that it has left or is renewed. */
void client_tell(struct client *c, enum conn_event event);

/** The same of a client that is about to be closed for a reason. */
void client_tell_refusal(struct client *c, enum conn_event event, enum close_reason reason);

/** @return  as whom it logged in, or would have: the name or nkey of a user, "[REDACTED]" for a
 * token; borrowed. */
struct str client_user_name(const struct client *c);

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

/** The protocol begins, on a connection that is as secure as it will be. */
void client_begin(struct client *c);

/* One function per verb. The verb files keep to what the protocol says of them (spec 01). */

/** CONNECT. */
void client_connect(struct client *c, struct op *op);
/** Judge the credentials of a CONNECT, then call client_on_login: at once, or after the connection
 * has been suspended while a password was hashed elsewhere. */
void client_login(struct client *c);
/** Let the client in that goes on without a CONNECT, as login_anonymous or whom its certificate
 * names; it is closed if that is not possible. */
void client_login_as_nobody(struct client *c);
/** @return  whom the client's certificate names; NULL: nobody. The log is told of the search. */
const struct login_user *client_find_certified(const struct client *c);
/** The verdict of client_login. */
void client_on_login(struct client *c, const struct login_verdict *verdict);
/** Turn the client away as a refusal says: it and the log are told, and it is closed. */
void client_refuse_login(struct client *c, const struct login_verdict *refusal);
/**
 * Make the client the user that it logged in as: account, permissions, limits. NULL: nobody in
 * particular. @return  false: the account has no room for it, or for its subscriptions; it was told
 * and closed
 */
bool client_enter(struct client *c, const struct login_user *user);
/** Put the client into an account, in which it has no subscriptions yet. */
void client_set_account(struct client *c, struct account *account);
/** Tell the client that its account has no room for it, and close. */
void client_refuse_full(struct client *c);
/** Set the largest payload that it may send: the server's limit, or that of its account. */
void client_limit_payload(struct client *c);
/** Undo client_enter. */
void client_leave(struct client *c);
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
/** Close the client for a payload beyond its limit. @param m  what has come of the message: its
 * subject, and its headers or none. */
void client_refuse_payload(struct client *c, struct msg *m);

/** INFO, which only servers have reason to send. */
void client_peer_info(struct client *c, struct op *op);

/** Suspend the client until all that other workers have encoded for it has come, then go on. */
void client_fence(struct client *c, void (*then)(struct client *c));

/** Answer what must not be answered before the messages of closed subscriptions have come. */
void client_answer(struct client *c, void (*answer)(struct client *c));

/** The fence is passed. */
void client_on_fenced(struct conn *conn);

/** Subscribe to what the account imports and the new subscription overlaps with
 * (broker/stream_import.h). */
void client_import(struct client *c, struct sub *s);

/** Undo client_import. */
void client_unimport(struct client *c, struct sub *s);

/** Call fn for everything that stands behind subscriptions. */
void client_each_import(struct client *c, void (*fn)(struct client *c, struct imported *s));

/** The account imports other streams now: adjust what stands behind subscriptions. */
void client_review_imports(struct client *c);

/** Remove a subscription of this client: from the table and from the index. */
void client_remove_sub(struct client *c, struct sub *s);

/** Remove all subscriptions of this client. */
void client_remove_all_subs(struct client *c);

/** Tell all subscriptions whether the client understands headers now. */
void client_update_subs(struct client *c);

/** Send INFO. @param is_connect_info it answers the first PING after CONNECT. */
void client_send_info(struct client *c, bool is_connect_info);

/** Send an INFO that says that the server is about to leave. */
void client_send_lame_duck_info(struct client *c);

/** Have the round trip measured, if it is not known and the client may be asked. */
void client_measure_rtt(struct client *c);

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
