/* SPDX-License-Identifier: Apache-2.0 */
/* What others are told of a connection: monitoring (spec 07 §6) and events (spec 06 §4, §5). A
 * report is values, so it may cross threads and outlive its connection. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "conn/close_reason.h"

struct conn;

/** One subscription of a connection. */
struct conn_report_sub {
    struct str subject, queue, sid;
    struct str exporter;  // the account it is in, if not that of the connection
    uint64_t n_msgs, max; // delivered; after so many it ends, 0: never
};

/** So many subscriptions are listed at a time. */
#define CONN_REPORT_MOST_SUBS 1000u

/** One certificate of the chain that the other side has shown. */
struct conn_report_cert {
    struct str subject;                  // RFC 4514
    struct str spki_sha256, cert_sha256; // in lower-case hex
};

/** Strings that are not known are empty. */
struct conn_report {
    uint64_t handle;
    uint64_t cid;
    const char *kind; // "Client"; static
    const char *type; // "nats"; NULL: kinds that have none; static
    struct str ip;
    uint16_t port;
    int64_t start_ns, stop_ns; // since 1970; 0: still open
    int64_t last_active_ns;    // likewise
    int64_t rtt_ns;            // 0: not known
    enum close_reason reason;  // CLOSE_NONE: open
    bool is_in;                // CONN_ENTERED was told of it, and no CONN_LEFT since
    uint64_t pending_bytes, in_msgs, in_bytes, out_msgs, out_bytes;
    uint64_t n_subs;
    uint64_t n_stalls;              // times that a producer had to wait for it
    uint64_t n_importing;           // subscriptions that have others behind them
    struct str name, lang, version; // as CONNECT said
    struct str account;
    struct str user; // as whom it logged in, or would have: name, nkey or "[REDACTED]"
    struct str tls_version, tls_cipher;
    bool is_tls_first;
    struct str proxy_key; // of the proxy by which it came
    /* If asked for: */
    const struct conn_report_sub *subs;
    size_t n_listed_subs;
    uint32_t subs_from,
        subs_next; // where the list begins, and goes on; 0: at the start, not at all
    const struct conn_report_cert *certs;
    size_t n_certs;
    size_t n_bytes; // of memory
};

/** What to report besides what is always reported. */
#define CONN_REPORT_SUBS 0x1u    // what it subscribed to
#define CONN_REPORT_CERTS 0x2u   // the certificates that it has shown
#define CONN_REPORT_IMPORTS 0x4u // instead of SUBS: what stands behind those, in other accounts
#define CONN_REPORT_RTT 0x8u     // if it is not known, have it measured for the next time
#define CONN_REPORT_BRIEF 0x10u  // nothing of its address, TLS and proxy: quick

/**
 * Report about a connection, in one piece of memory.
 * @param what  CONN_REPORT_SUBS, …
 * @return      owned by the caller, release with mem_free
 * Thread: that of the connection (as for the next two).
 */
struct conn_report *conn_report_new(struct conn *c, unsigned what);

/** As conn_report_new, with a list of subscriptions that begins at `from`: 0, or subs_next of the
 * report before. What changes in between may be listed twice, or not. */
struct conn_report *conn_report_new_from(struct conn *c, unsigned what, uint32_t from);

/** Report to somebody who looks at it at once. @param out  its strings are borrowed from the
 * connection and `scratch` */
void conn_report_fill(struct conn *c, unsigned what, struct conn_report *out,
                      struct arena *scratch);

/** @return  the same, in one piece that lives as long as the arena. Thread: any. */
struct conn_report *conn_report_copy(const struct conn_report *r, struct arena *a);

/** What can happen to a connection that others care about. */
enum conn_event {
    CONN_ENTERED, // it has logged in
    CONN_LEFT,    // it must do so again, as it has sent another CONNECT
    CONN_RENEWED, // a reload has let it in anew: it has left and entered at once
    CONN_REFUSED, // its login has failed; CONN_CLOSED follows
    CONN_BARRED,  // it has begun without a login that it needs; CONN_CLOSED follows
    CONN_CLOSED,
};

/** Whoever cares about connections; constant while the workers run. */
struct conn_watcher {
    /** @param take_report  owned by the callee. Thread: that of the connection. */
    void (*on_event)(struct conn_watcher *w, enum conn_event event,
                     struct conn_report *take_report);
};
