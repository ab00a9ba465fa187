/* SPDX-License-Identifier: Apache-2.0 */
/* Options of other ways in for clients: WebSocket and MQTT (spec 03 D4, D5). */
#include "base/diag.h"
#include "server/later_options.h"
#include "server/later_priv.h"

static const struct option authorization_rows[] = {
    OPTION_CHECKED("user", STR, .aliases = "username", .doc = "Name that clients log in with."),
    OPTION_CHECKED("password", SECRET, .aliases = "pass", .doc = "Password that goes with user."),
    OPTION_CHECKED("token", SECRET, .doc = "Token that clients log in with."),
    OPTION_CUSTOM("timeout", later_accept, .doc = "Time that a client has to log in."), OPTION_END};

/* ---- WebSocket */

static enum status read_websocket_tls(void *base, const struct node *value, struct option_reader *r)
{
    ((struct later_options *)base)->has_websocket_tls = true;
    return later_check_tls(base, value, r);
}

static enum status check_handshake_timeout(void *base, const struct node *value,
                                           struct option_reader *r)
{
    if (value->kind == NODE_INT) {
        return ST_OK;
    }
    return value->kind == NODE_STR
               ? later_check_duration(base, value, r)
               : option_report(r, value, "error parsing handshake timeout: unsupported type %T");
}

static enum status check_headers(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    if (value->kind != NODE_MAP) {
        return option_report(r, value, "error parsing headers: unsupported type %T");
    }
    for (const struct node *e = value->first; e; e = e->next) {
        if (e->kind != NODE_STR) {
            return option_report(r, e, "error parsing header key %.*s: unsupported type %T");
        }
    }
    return ST_OK;
}

const struct option later_websocket_rows[] = {
    OPTION_OTHER("listen", struct later_options, websocket, &listen_address_type,
                 .doc = "Port, or host:port, to listen on for WebSocket."),
    OPTION_CHECKED("host", STR, .aliases = "net", .doc = "Address to listen on for WebSocket."),
    OPTION_INT("port", struct later_options, websocket.port,
               .doc = "Port to listen on for WebSocket."),
    OPTION_CHECKED("advertise", STR, .doc = "host or host:port that clients are told."),
    OPTION_BOOL("no_tls", struct later_options, is_websocket_plain, .doc = "No encryption."),
    OPTION_CUSTOM("tls", read_websocket_tls, .doc = "Encrypted connections."),
    OPTION_CHECKED("same_origin", BOOL, .doc = "Refuse pages of other hosts."),
    OPTION_CHECKED("allowed_origins", LIST,
                   .aliases = "allowed_origin allow_origins allow_origin origins origin",
                   .wrong = "error parsing allowed origins: unsupported type %T",
                   .wrong_item = "error parsing allowed origins: unsupported type in array %T",
                   .doc = "Hosts whose pages may connect."),
    OPTION_CHECKED("compression", BOOL, .aliases = "compress", .doc = "Compression."),
    OPTION_CUSTOM("handshake_timeout", check_handshake_timeout, .doc = "Time for the handshake."),
    OPTION_BLOCK("authorization", authorization_rows, .aliases = "authentication",
                 .doc = "How clients log in."),
    OPTION_CHECKED("jwt_cookie", STR, .doc = "Cookie that holds a JWT."),
    OPTION_CHECKED("user_cookie", STR, .doc = "Cookie that holds a name."),
    OPTION_CHECKED("pass_cookie", STR, .doc = "Cookie that holds a password."),
    OPTION_CHECKED("token_cookie", STR, .doc = "Cookie that holds a token."),
    OPTION_CHECKED("no_auth_user", STR, .doc = "User for clients that present nothing."),
    OPTION_CUSTOM("headers", check_headers, .doc = "Headers of the answer."),
    OPTION_CHECKED("ping_interval", DURATION, .doc = "Time between pings."),
    OPTION_END};

/* ---- MQTT */

static enum status warn_of_replicas(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    diag_warning(r->d, &value->at,
                 "invalid use of field \"consumer_replicas\": consumer replicas setting ignored in "
                 "this server version");
    return ST_OK;
}

const struct option later_mqtt_rows[] = {
    OPTION_OTHER("listen", struct later_options, mqtt, &listen_address_type,
                 .doc = "Port, or host:port, to listen on for MQTT."),
    OPTION_CHECKED("host", STR, .aliases = "net", .doc = "Address to listen on for MQTT."),
    OPTION_INT("port", struct later_options, mqtt.port, .doc = "Port to listen on for MQTT."),
    OPTION_CUSTOM("tls", later_check_tls, .doc = "Encrypted connections."),
    OPTION_BLOCK("authorization", authorization_rows, .aliases = "authentication",
                 .doc = "How clients log in."),
    OPTION_CHECKED("no_auth_user", STR, .doc = "User for clients that present nothing."),
    OPTION_CHECKED("js_domain", STR, .doc = "Domain of JetStream."),
    OPTION_CHECKED("js_api_timeout", DURATION, .aliases = "api_timeout",
                   .doc = "Time that JetStream has to answer."),
    OPTION_CHECKED("reject_qos2_publish", BOOL, .doc = "Refuse to take QoS 2."),
    OPTION_CHECKED("downgrade_qos2_subscribe", BOOL, .doc = "Deliver QoS 1 instead of 2."),
    OPTION_CHECKED("ack_wait", DURATION, .aliases = "ackwait",
                   .doc = "Time after which a message is delivered again."),
    OPTION_CHECKED("max_ack_pending", INT, .aliases = "max_pending max_inflight", .min = 0,
                   .max = 65535, .refused = "invalid value %v, should in [0..65535] range",
                   .doc = "Messages that may wait for an acknowledgement."),
    OPTION_CHECKED("stream_replicas", INT, .doc = "Replicas of streams."),
    OPTION_CUSTOM("consumer_replicas", warn_of_replicas, .doc = "Ignored."),
    OPTION_CHECKED("consumer_memory_storage", BOOL, .doc = "Keep consumers in memory."),
    OPTION_CHECKED("consumer_inactive_threshold", DURATION, .aliases = "consumer_auto_cleanup",
                   .doc = "Time after which an unused consumer goes."),
    OPTION_END};
