/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of close reasons. Several do not repeat the name: they are what tools match on. */
#include "conn/close_reason.h"

static const char *const texts[CLOSE_REASON_COUNT] = {
    [CLOSE_CLIENT_CLOSED] = "Client Closed",
    [CLOSE_AUTHENTICATION_TIMEOUT] = "Authentication Timeout",
    [CLOSE_AUTHENTICATION_VIOLATION] = "Authentication Failure",
    [CLOSE_TLS_HANDSHAKE_ERROR] = "TLS Handshake Failure",
    [CLOSE_SLOW_CONSUMER_PENDING_BYTES] = "Slow Consumer (Pending Bytes)",
    [CLOSE_SLOW_CONSUMER_WRITE_DEADLINE] = "Slow Consumer (Write Deadline)",
    [CLOSE_WRITE_ERROR] = "Write Error",
    [CLOSE_READ_ERROR] = "Read Error",
    [CLOSE_PARSE_ERROR] = "Parse Error",
    [CLOSE_STALE_CONNECTION] = "Stale Connection",
    [CLOSE_PROTOCOL_VIOLATION] = "Protocol Violation",
    [CLOSE_BAD_CLIENT_PROTOCOL_VERSION] = "Bad Client Protocol Version",
    [CLOSE_WRONG_PORT] = "Incorrect Port",
    [CLOSE_MAX_ACCOUNT_CONNECTIONS_EXCEEDED] = "Maximum Account Connections Exceeded",
    [CLOSE_MAX_CONNECTIONS_EXCEEDED] = "Maximum Connections Exceeded",
    [CLOSE_MAX_PAYLOAD_EXCEEDED] = "Maximum Message Payload Exceeded",
    [CLOSE_MAX_CONTROL_LINE_EXCEEDED] = "Maximum Control Line Exceeded",
    [CLOSE_MAX_SUBSCRIPTIONS_EXCEEDED] = "Maximum Subscriptions Exceeded",
    [CLOSE_DUPLICATE_ROUTE] = "Duplicate Route",
    [CLOSE_ROUTE_REMOVED] = "Route Removed",
    [CLOSE_SERVER_SHUTDOWN] = "Server Shutdown",
    [CLOSE_AUTHENTICATION_EXPIRED] = "Authentication Expired",
    [CLOSE_WRONG_GATEWAY] = "Wrong Gateway",
    [CLOSE_MISSING_ACCOUNT] = "Missing Account",
    [CLOSE_REVOCATION] = "Credentials Revoked",
    [CLOSE_INTERNAL_CLIENT] = "Internal Client",
    [CLOSE_MSG_HEADER_VIOLATION] = "Message Header Violation",
    [CLOSE_NO_RESPONDERS_REQUIRES_HEADERS] = "No Responders Requires Headers",
    [CLOSE_CLUSTER_NAME_CONFLICT] = "Cluster Name Conflict",
    [CLOSE_DUPLICATE_REMOTE_LEAFNODE_CONNECTION] = "Duplicate Remote LeafNode Connection",
    [CLOSE_DUPLICATE_CLIENT_ID] = "Duplicate Client ID",
    [CLOSE_DUPLICATE_SERVER_NAME] = "Duplicate Server Name",
    [CLOSE_MINIMUM_VERSION_REQUIRED] = "Minimum Version Required",
    [CLOSE_CLUSTER_NAMES_IDENTICAL] = "Cluster Names Identical",
    [CLOSE_KICKED] = "Kicked",
    [CLOSE_PROXY_NOT_TRUSTED] = "Proxy Not Trusted",
    [CLOSE_PROXY_REQUIRED] = "Proxy Required",
};

const char *close_reason_text(enum close_reason r)
{
    return (unsigned)r < CLOSE_REASON_COUNT && texts[r] ? texts[r] : "Unknown State";
}

bool close_reason_flushes(enum close_reason r)
{
    switch (r) {
    case CLOSE_READ_ERROR:
    case CLOSE_WRITE_ERROR:
    case CLOSE_SLOW_CONSUMER_PENDING_BYTES:
    case CLOSE_SLOW_CONSUMER_WRITE_DEADLINE:
    case CLOSE_TLS_HANDSHAKE_ERROR:
        return false;
    default:
        return true;
    }
}
