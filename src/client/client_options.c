/* SPDX-License-Identifier: Apache-2.0 */
/* The option rows of client connections. nats-server accepts negative timers and a negative
 * max_control_line and then closes every client; here they are refused. */
#include "client/client_options.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/tls_block.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/status.h"
#include "conf/option.h"

#define LARGE_PAYLOAD (INT64_C(8) << 20)

static const char *const write_timeouts[] = {
    [CLIENT_WRITE_TIMEOUT_DEFAULT] = "default",
    [CLIENT_WRITE_TIMEOUT_CLOSE] = "close",
    [CLIENT_WRITE_TIMEOUT_RETRY] = "retry",
    NULL,
};

static const struct option client_rows[] = {
    OPTION_INT("max_connections", struct client_options, max_connections, .aliases = "max_conn",
               .def = "65536", .reload = RELOAD_HOOK,
               .doc = "Clients at a time; 0 or less refuses all."),
    OPTION_INT("max_subscriptions", struct client_options, max_subscriptions, .aliases = "max_subs",
               .doc = "Subscriptions of one connection; 0 is unlimited."),
    OPTION_INT("max_sub_tokens", struct client_options, max_sub_tokens,
               .aliases = "max_subscription_tokens", .min = 1, .max = 255,
               .doc = "Tokens in the subject of a subscription, at most 255."),
    OPTION_SIZE("max_control_line", struct client_options, max_control_line, .def = "4096",
                .zero_is_default = true, .min = 0, .max = INT32_MAX, .reload = RELOAD_LIVE,
                .doc = "Longest line of the protocol that a client may send."),
    OPTION_SIZE("max_payload", struct client_options, max_payload, .def = "1MB",
                .zero_is_default = true, .min = OPTION_NO_MIN, .max = INT32_MAX,
                .reload = RELOAD_LIVE,
                .doc = "Largest message, headers included, that a client may publish; -1 is any."),
    OPTION_SIZE("max_pending", struct client_options, max_pending, .def = "64MB",
                .zero_is_default = true,
                .doc = "Bytes queued for a client beyond which it is a slow consumer, and closed."),
    OPTION_INT("max_closed_clients", struct client_options, max_closed_clients, .def = "10000",
               .zero_is_default = true, .min = 0, .max = INT32_MAX,
               .doc = "Closed connections that monitoring remembers."),
    OPTION_DURATION("write_deadline", struct client_options, write_deadline_ns, .def = "10s",
                    .zero_is_default = true, .min = 0, .max = OPTION_NO_MAX,
                    .reload = RELOAD_NEW_CONNS,
                    .doc = "Time that a client's socket may take nothing before it is closed."),
    OPTION_ENUM("write_timeout", struct client_options, write_timeout, .words = write_timeouts,
                .doc = "What happens after write_deadline: default, close or retry."),
    OPTION_DURATION("ping_interval", struct client_options, ping_interval_ns, .def = "2m",
                    .zero_is_default = true, .min = 0, .max = OPTION_NO_MAX, .reload = RELOAD_LIVE,
                    .doc = "Time between pings to a client."),
    OPTION_INT("ping_max", struct client_options, ping_max, .def = "2", .zero_is_default = true,
               .reload = RELOAD_LIVE, .doc = "Unanswered pings after which a client is closed."),
    OPTION_BOOL("no_header_support", struct client_options, no_header_support,
                .doc = "Refuse messages with headers."),
    OPTION_BOOL("no_fast_producer_stall", struct client_options, no_fast_producer_stall,
                .reload = RELOAD_LIVE,
                .doc = "Drop messages to slow clients rather than slow down who publishes them."),
    OPTION_BOOL("disable_sublist_cache", struct client_options, disable_sublist_cache,
                .aliases = "no_sublist_cache", .doc = "Match every message anew."),
    OPTION_OTHER("tls", struct client_options, tls, &tls_options_type, .reload = RELOAD_HOOK,
                 .doc = "Encrypted connections: certificates, and whom to trust."),
    OPTION_BOOL("proxy_protocol", struct client_options, proxy_protocol,
                .doc = "Take the PROXY header of a load balancer, v1 or v2, from any peer."),
    OPTION_BOOL("allow_non_tls", struct client_options, allow_non_tls,
                .doc = "Clients may connect with or without TLS."),
    OPTION_END};

struct option_table client_options_table(struct client_options *o)
{
    return (struct option_table){.rows = client_rows, .base = o};
}

enum status client_options_check(const struct client_options *o, struct diag *d)
{
    uint32_t n_before = d->n_errors;

    if (o->max_payload > o->max_pending) {
        diag_error(d, NULL,
                   "max_payload (%" PRId64 ") cannot be higher than max_pending (%" PRId64 ")",
                   o->max_payload, o->max_pending);
    }
    if (o->tls.wants_ocsp_peer && !tls_options_verify(&o->tls)) {
        diag_error(d, NULL,
                   "OCSP peer verification for client connections requires TLS verify (mTLS) to be "
                   "enabled");
    } else if (o->tls.wants_ocsp_peer) {
        diag_error(d, NULL, "tls: ocsp_peer is not supported yet");
    }
    return d->n_errors > n_before ? ST_FAILED : ST_OK;
}

void client_options_log_warnings(const struct client_options *o)
{
    if (o->max_payload > LARGE_PAYLOAD) {
        log_warn("Maximum payloads over 8.00 MB are generally discouraged and could lead to poor "
                 "performance");
    }
}
