/* SPDX-License-Identifier: Apache-2.0 */
/* Options of connections between servers: clusters, gateways, leaf nodes (spec 03 D1 to D3). */
#include <string.h>

#include "auth/nkey.h"
#include "auth/perms_option.h"
#include "base/clock.h"
#include "base/diag.h"
#include "conf/value.h"
#include "proto/subject.h"
#include "server/later_options.h"
#include "server/later_priv.h"

#define LONGEST_ROUTE_PING_NS (30 * CLOCK_SEC_NS)

static const char *refuse_spaces(struct str name)
{
    return name.n && memchr(name.p, ' ', name.n) ? "cluster name cannot contain spaces" : NULL;
}

/* ---- shared by several blocks */

static enum status check_compression(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    if (value->kind == NODE_STR || value->kind == NODE_BOOL) {
        return ST_OK;
    }
    return option_report(r, value,
                         "field \"compression\" should be a boolean or a structure, got %T");
}

static const struct option compression_rows[] = {
    OPTION_CHECKED("mode", STR,
                   .doc = "off, accept, s2_auto, s2_uncompressed, s2_fast, s2_better or s2_best."),
    OPTION_CUSTOM("rtt_thresholds", later_check_durations, .aliases = "thresholds rtts rtt",
                  .doc = "Round-trip times at which s2_auto compresses more."),
    OPTION_END};

#define COMPRESSION                                                                                \
    OPTION_CUSTOM("compression", check_compression, .doc = "Compression: a mode, or a boolean."),  \
        OPTION_BLOCK("compression", compression_rows, .doc = "Compression.")

#define WRITE_OPTIONS                                                                              \
    OPTION_CHECKED("write_deadline", DURATION, .doc = "Time that a socket may take nothing."),     \
        OPTION_CHECKED("write_timeout", ENUM, .words = later_write_timeouts,                       \
                       .doc = "What happens then: default, close or retry.")

static enum status check_permissions(void *base, const struct node *value, struct option_reader *r)
{
    void *ignored = NULL;
    enum status st = perms_option_type.read(&ignored, value, r);
    const struct node *responses =
        value->kind == NODE_MAP ? node_find(value, STR("allow_responses")) : NULL;

    (void)base;
    perms_option_type.release(&ignored);
    if (st == ST_OK && responses && (responses->kind != NODE_BOOL || responses->truth)) {
        diag_error(r->d, &value->at, "Cluster permissions do not support dynamic responses");
        return ST_FAILED;
    }
    return st;
}

/* ---- authorization of clusters and gateways */

static enum status check_users(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    return value->kind == NODE_ARRAY
               ? ST_OK
               : option_report(r, value, "Expected users field to be an array, got %v");
}

static enum status check_callout(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    return value->kind == NODE_MAP
               ? ST_OK
               : option_report(r, value,
                               "Expected authorization callout to be a map/struct, got %v");
}

static enum status check_authorization(const char *what, const struct node *block,
                                       struct option_reader *r)
{
    const struct node *token = node_find(block, STR("token"));
    enum status st = ST_OK;

    if (node_find(block, STR("users"))) {
        diag_error(r->d, &block->at, "%s authorization does not allow multiple users", what);
        st = ST_FAILED;
    }
    if (token && token->text.n) {
        diag_error(r->d, &block->at, "%s authorization does not support tokens", what);
        st = ST_FAILED;
    }
    if (node_find(block, STR("auth_callout"))) {
        diag_error(r->d, &block->at, "%s authorization does not support callouts", what);
        st = ST_FAILED;
    }
    return st;
}

static enum status check_cluster_authorization(void *base, const struct node *block,
                                               struct option_reader *r)
{
    (void)base;
    if (node_find(block, STR("permissions")) || node_find(block, STR("default_permissions"))) {
        diag_warning(r->d, &block->at,
                     "invalid use of field \"authorization\": setting \"permissions\" within "
                     "cluster authorization block is deprecated");
    }
    return check_authorization("Cluster", block, r);
}

static enum status check_gateway_authorization(void *base, const struct node *block,
                                               struct option_reader *r)
{
    (void)base;
    return check_authorization("Gateway", block, r);
}

static const struct option authorization_rows[] = {
    OPTION_CHECKED("user", STR, .aliases = "username", .doc = "Name that servers log in with."),
    OPTION_CHECKED("password", SECRET, .aliases = "pass", .doc = "Password that goes with user."),
    OPTION_CHECKED("timeout", DURATION, .plain = OPTION_PLAIN_SECONDS,
                   .doc = "Time that a server has to log in."),
    OPTION_CHECKED("token", SECRET, .doc = "Refused."),
    OPTION_CUSTOM("users", check_users, .doc = "Refused."),
    OPTION_CUSTOM("auth_callout", check_callout, .aliases = "auth_hook", .doc = "Refused."),
    OPTION_CUSTOM("default_permissions", check_permissions,
                  .aliases = "default_permission permissions", .doc = "Deprecated."),
    OPTION_CHECKED("proxy_required", BOOL, .doc = "Accepted for compatibility."),
    OPTION_END};

/* ---- cluster */

static enum status check_routes(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    return later_check_urls("route", value, r);
}

static enum status check_cluster_ping(void *base, const struct node *value, struct option_reader *r)
{
    static const struct option row =
        OPTION_CHECKED("ping_interval", DURATION, .doc = "Time between pings.");
    enum status st = option_set(&(struct option_slot){.row = &row, .base = base}, value, r);
    struct buf why = {0};
    int64_t ns = 0;

    if (st == ST_OK && value->kind == NODE_INT) {
        ns = value->number > LONGEST_ROUTE_PING_NS / CLOCK_SEC_NS ? INT64_MAX : 0;
    } else if (st == ST_OK) {
        st = value_parse_duration(value->text, &ns, &why);
    }
    if (ns > LONGEST_ROUTE_PING_NS) {
        diag_warning(r->d, &value->at,
                     "Cluster 'ping_interval' will reset to 30s which is the max for routes");
    }
    buf_deinit(&why);
    return st;
}

const struct option later_cluster_rows[] = {
    OPTION_STR("name", struct later_options, cluster_name, .refuse = refuse_spaces,
               .doc = "Name of the cluster."),
    OPTION_OTHER("listen", struct later_options, cluster, &listen_address_type,
                 .doc = "Port, or host:port, to listen on for routes."),
    OPTION_CHECKED("host", STR, .aliases = "net", .doc = "Address to listen on for routes."),
    OPTION_INT("port", struct later_options, cluster.port, .doc = "Port to listen on for routes."),
    OPTION_BLOCK("authorization", authorization_rows, .check = check_cluster_authorization,
                 .doc = "How routes log in."),
    OPTION_CUSTOM("routes", check_routes, .doc = "URLs of other servers of the cluster."),
    OPTION_CUSTOM("tls", later_check_remote_tls, .doc = "Encrypted routes."),
    OPTION_CUSTOM("permissions", check_permissions, .doc = "Subjects that cross routes."),
    OPTION_CHECKED("advertise", STR, .aliases = "cluster_advertise",
                   .doc = "host or host:port that other servers are told."),
    OPTION_CHECKED("no_advertise", BOOL, .doc = "Do not tell clients of the other servers."),
    OPTION_CHECKED("connect_backoff", BOOL, .doc = "Wait longer after each failed connect."),
    OPTION_CHECKED("connect_retries", INT, .doc = "Attempts to connect to a route."),
    OPTION_CHECKED("pool_size", INT, .doc = "Connections per route; -1 is one without a pool."),
    OPTION_CHECKED("accounts", LIST, .wrong = "error parsing accounts: unsupported type %T",
                   .wrong_item = "error parsing accounts: unsupported type in array %T",
                   .doc = "Accounts that have a route of their own."),
    COMPRESSION,
    OPTION_CUSTOM("ping_interval", check_cluster_ping, .doc = "Time between pings, 30s at most."),
    OPTION_CHECKED("ping_max", INT, .doc = "Unanswered pings after which a route is closed."),
    WRITE_OPTIONS,
    OPTION_END};

/* ---- gateway */

static enum status check_gateway_url(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    return later_check_url("gateway", value, r);
}

static enum status check_gateway_urls(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    return later_check_urls("gateway", value, r);
}

static const struct option remote_gateway_rows[] = {
    OPTION_CHECKED("name", STR, .doc = "Name of the other cluster."),
    OPTION_CUSTOM("url", check_gateway_url, .doc = "URL of one of its gateways."),
    OPTION_CUSTOM("urls", check_gateway_urls, .doc = "URLs of its gateways."),
    OPTION_CUSTOM("tls", later_check_remote_tls, .doc = "Encrypted connections to it."),
    OPTION_END};

static enum status check_gateways(void *base, const struct node *value, struct option_reader *r)
{
    static const struct option block =
        OPTION_BLOCK("gateways", remote_gateway_rows,
                     .wrong = "Expected gateway entry to be a map/struct, got %v", .doc = "One.");
    enum status st = ST_OK;

    if (value->kind != NODE_ARRAY) {
        return option_report(r, value, "Expected gateways field to be an array, got %T");
    }
    for (const struct node *e = value->first; e; e = e->next) {
        if (option_read_block(&block, base, e, r) != ST_OK) {
            st = ST_FAILED;
        }
    }
    return st;
}

const struct option later_gateway_rows[] = {
    OPTION_STR("name", struct later_options, gateway_name, .doc = "Name of this cluster."),
    OPTION_OTHER("listen", struct later_options, gateway, &listen_address_type,
                 .doc = "Port, or host:port, to listen on for gateways."),
    OPTION_CHECKED("host", STR, .aliases = "net", .doc = "Address to listen on for gateways."),
    OPTION_INT("port", struct later_options, gateway.port,
               .doc = "Port to listen on for gateways."),
    OPTION_BLOCK("authorization", authorization_rows, .check = check_gateway_authorization,
                 .doc = "How gateways log in."),
    OPTION_CUSTOM("tls", later_check_remote_tls, .doc = "Encrypted gateways."),
    OPTION_CHECKED("advertise", STR, .doc = "host or host:port that other clusters are told."),
    OPTION_CHECKED("connect_retries", INT, .doc = "Attempts to connect to a gateway."),
    OPTION_CHECKED("connect_backoff", BOOL, .doc = "Wait longer after each failed connect."),
    OPTION_CUSTOM("gateways", check_gateways, .doc = "The other clusters: name, urls, tls."),
    OPTION_CHECKED("reject_unknown_cluster", BOOL, .aliases = "reject_unknown",
                   .doc = "Refuse clusters that are not in gateways."),
    WRITE_OPTIONS,
    OPTION_END};

/* ---- leaf nodes */

static const char *refuse_leaf_nkey(struct str key)
{
    return nkey_is_valid(key, NKEY_USER) ? NULL
                                         : "Not a valid public nkey for leafnode authorization";
}

static const struct option leaf_user_rows[] = {
    OPTION_CHECKED("user", STR, .aliases = "username", .doc = "Name."),
    OPTION_CHECKED("password", SECRET, .aliases = "pass", .doc = "Password."),
    OPTION_CHECKED("account", STR, .doc = "Account that it is bound to."),
    OPTION_CHECKED("proxy_required", BOOL, .doc = "Only through a trusted proxy."), OPTION_END};

static enum status check_leaf_users(void *base, const struct node *value, struct option_reader *r)
{
    static const struct option block =
        OPTION_BLOCK("users", leaf_user_rows,
                     .wrong = "Expected user entry to be a map/struct, got %v", .doc = "One.");
    enum status st = check_users(base, value, r);

    for (const struct node *e = st == ST_OK ? value->first : NULL; e; e = e->next) {
        if (option_read_block(&block, base, e, r) != ST_OK) {
            st = ST_FAILED;
        }
    }
    return st;
}

static const struct node *name_of_user(const struct node *entry)
{
    const struct node *name = node_find(entry, STR("user"));

    return name ? name : node_find(entry, STR("username"));
}

/* No name may occur twice. */
static enum status check_leaf_authorization(void *base, const struct node *block,
                                            struct option_reader *r)
{
    const struct node *users = node_find(block, STR("users"));

    (void)base;
    for (const struct node *a = users ? users->first : NULL; a; a = a->next) {
        const struct node *name = name_of_user(a);

        for (const struct node *b = name ? a->next : NULL; b; b = b->next) {
            const struct node *other = name_of_user(b);

            if (other && str_equal(name->text, other->text)) {
                diag_error(r->d, &block->at,
                           "duplicate user \"%.*s\" detected in leafnode authorization",
                           STR_ARG(name->text));
                return ST_FAILED;
            }
        }
    }
    return ST_OK;
}

static const struct option leaf_authorization_rows[] = {
    OPTION_CHECKED("user", STR, .aliases = "username", .doc = "Name that leaf nodes log in with."),
    OPTION_CHECKED("password", SECRET, .aliases = "pass", .doc = "Password that goes with user."),
    OPTION_CHECKED("nkey", STR, .refuse = refuse_leaf_nkey, .doc = "Public key instead of both."),
    OPTION_CHECKED("account", STR, .doc = "Account that they are bound to."),
    OPTION_CHECKED("timeout", DURATION, .plain = OPTION_PLAIN_SECONDS,
                   .config = "leafnode authorization", .doc = "Time to log in."),
    OPTION_CHECKED("proxy_required", BOOL, .doc = "Only through a trusted proxy."),
    OPTION_CUSTOM("users", check_leaf_users, .doc = "Several users."),
    OPTION_END};

static enum status check_leaf_url(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    if (value->kind == NODE_ARRAY) {
        return later_check_urls("leafnode", value, r);
    }
    return value->kind == NODE_STR
               ? later_check_url("leafnode", value, r)
               : option_report(r, value,
                               "Expected remote leafnode url to be an array or string, got %v");
}

/* A seed begins with S and the letter of its kind. */
static enum status check_seed(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    if (value->kind != NODE_STR) {
        return option_wrong_type(r, value, node_kind_name(NODE_STR));
    }
    if (value->text.n != NKEY_TEXT_LENGTH + 2 || !str_starts_with(value->text, STR("SU"))) {
        diag_error(r->d, &value->at, "Remote leafnode nkey is not a valid seed: \"%.*s\"",
                   STR_ARG(value->text));
        return ST_FAILED;
    }
    return ST_OK;
}

static enum status check_subject(const struct node *value, struct option_reader *r)
{
    if (value->kind != NODE_STR) {
        diag_error(r->d, NULL, "Subject in permissions array cannot be cast to string");
        return ST_FAILED;
    }
    if (!subject_is_valid(value->text)) {
        diag_error(r->d, NULL, "subject \"%.*s\" is not a valid subject", STR_ARG(value->text));
        return ST_FAILED;
    }
    return ST_OK;
}

static enum status check_subjects(void *base, const struct node *value, struct option_reader *r)
{
    enum status st = ST_OK;

    (void)base;
    if (value->kind == NODE_STR) {
        return check_subject(value, r);
    }
    if (value->kind != NODE_ARRAY) {
        return option_report(r, value,
                             "Expected subject permissions to be a subject, or array of subjects, "
                             "got %T");
    }
    for (const struct node *e = value->first; e; e = e->next) {
        if (check_subject(e, r) != ST_OK) {
            st = ST_FAILED;
        }
    }
    return st;
}

static enum status check_migrate(void *base, const struct node *value, struct option_reader *r)
{
    static const struct option delay =
        OPTION_CHECKED("leader_migrate_delay", DURATION, .doc = "Time to wait.");

    if (value->kind == NODE_BOOL) {
        return ST_OK;
    }
    if (value->kind != NODE_MAP) {
        return option_report(r, value,
                             "Expected boolean or map for jetstream_cluster_migrate, got %T");
    }
    const struct node *found = node_find(value, STR("leader_migrate_delay"));
    return found ? option_set(&(struct option_slot){.row = &delay, .base = base}, found, r) : ST_OK;
}

static enum status check_proxy_timeout(void *base, const struct node *value,
                                       struct option_reader *r)
{
    static const struct option row =
        OPTION_CHECKED("proxy timeout", DURATION, .doc = "Time to connect to the proxy.");

    return option_set(&(struct option_slot){.row = &row, .base = base}, value, r);
}

static bool is_set(const struct node *map, struct str key)
{
    const struct node *n = node_find(map, key);

    return n && (n->kind == NODE_STR ? n->text.n > 0 : n->number != 0);
}

static enum status check_proxy(void *base, const struct node *block, struct option_reader *r)
{
    const struct node *url = node_find(block, STR("url"));
    bool needs_url = is_set(block, STR("username")) || is_set(block, STR("password")) ||
                     is_set(block, STR("timeout"));

    (void)base;
    if (url && url->text.n) {
        const char *end = memmem(url->text.p, url->text.n, "://", 3);
        struct str scheme = {.p = url->text.p, .n = end ? (size_t)(end - url->text.p) : 0};

        if (str_equal_nocase(scheme, STR("http")) || str_equal_nocase(scheme, STR("https"))) {
            return ST_OK;
        }
        diag_error(r->d, &block->at, "proxy URL scheme must be http or https, got: %.*s",
                   STR_ARG(scheme));
        return ST_FAILED;
    }
    if (needs_url) {
        diag_error(r->d, &block->at,
                   "proxy URL must be specified when other proxy options are set");
        return ST_FAILED;
    }
    return ST_OK;
}

static const struct option proxy_rows[] = {
    OPTION_CHECKED("url", STR, .doc = "URL of an HTTP proxy."),
    OPTION_CHECKED("username", STR, .doc = "Name to log in with there."),
    OPTION_CHECKED("password", SECRET, .doc = "Password to log in with there."),
    OPTION_CUSTOM("timeout", check_proxy_timeout, .doc = "Time to connect to the proxy."),
    OPTION_END};

static const struct option remote_rows[] = {
    OPTION_CUSTOM("url", check_leaf_url, .aliases = "urls", .doc = "Where to connect to."),
    OPTION_CHECKED("account", STR, .aliases = "local", .doc = "Account here."),
    OPTION_CHECKED("credentials", STR, .aliases = "creds", .doc = "File with credentials."),
    OPTION_CUSTOM("nkey", check_seed, .aliases = "seed", .doc = "Seed to log in with."),
    OPTION_CUSTOM("tls", later_check_tls, .doc = "Encrypted connection."),
    OPTION_CHECKED("hub", BOOL, .doc = "This side is the hub."),
    OPTION_CUSTOM("deny_imports", check_subjects, .aliases = "deny_import",
                  .doc = "Subjects that may not come in."),
    OPTION_CUSTOM("deny_exports", check_subjects, .aliases = "deny_export",
                  .doc = "Subjects that may not go out."),
    OPTION_CHECKED("no_randomize", BOOL, .aliases = "dont_randomize",
                   .doc = "Try the URLs in their order."),
    OPTION_CHECKED("ws_compression", BOOL,
                   .aliases = "ws_compress websocket_compress websocket_compression",
                   .doc = "Compression over WebSocket."),
    OPTION_CHECKED("ws_no_masking", BOOL, .aliases = "websocket_no_masking",
                   .doc = "No masking over WebSocket."),
    OPTION_CUSTOM("jetstream_cluster_migrate", check_migrate, .aliases = "js_cluster_migrate",
                  .doc = "Give up leadership while there is no connection."),
    OPTION_CHECKED("isolate_leafnode_interest", BOOL, .aliases = "isolate",
                   .doc = "Do not tell of the interest of other leaf nodes."),
    OPTION_CHECKED("request_isolation", BOOL, .doc = "Ask the other side for that."),
    COMPRESSION,
    OPTION_CHECKED("first_info_timeout", DURATION, .doc = "Time for the first INFO."),
    OPTION_CHECKED("dial_timeout", DURATION, .doc = "Time to connect."),
    OPTION_CHECKED("disabled", BOOL, .doc = "Do not connect."),
    OPTION_CHECKED("ignore_discovered_servers", BOOL, .doc = "Use only the URLs that are here."),
    OPTION_BLOCK("proxy", proxy_rows, .wrong = "Expected proxy to be a map, got %T",
                 .check = check_proxy, .doc = "HTTP proxy to connect through."),
    OPTION_END};

/* What a disabled remote needs is not there either: it is not counted. */
static bool is_enabled(const struct node *remote)
{
    const struct node *disabled =
        remote->kind == NODE_MAP ? node_find(remote, STR("disabled")) : NULL;

    return !disabled || disabled->kind != NODE_BOOL || !disabled->truth;
}

static enum status read_remotes(void *base, const struct node *value, struct option_reader *r)
{
    static const struct option block = OPTION_BLOCK(
        "remotes", remote_rows,
        .wrong = "Expected remote leafnode entry to be a map/struct, got %v", .doc = "One.");
    struct later_options *o = base;
    enum status st = ST_OK;

    if (value->kind != NODE_ARRAY) {
        return option_report(r, value, "Expected remotes field to be an array, got %T");
    }
    o->has_leafnode_remotes = false;
    for (const struct node *e = value->first; e; e = e->next) {
        if (option_read_block(&block, base, e, r) != ST_OK) {
            st = ST_FAILED;
        }
        o->has_leafnode_remotes = o->has_leafnode_remotes || is_enabled(e);
    }
    return st;
}

/* Three numbers, and not before 2.8.0. */
static const char *refuse_version(struct str text)
{
    int64_t part[3] = {0};
    size_t i = 0;

    for (size_t n = 0; n < 3; n++) {
        size_t first = i;

        while (i < text.n && text.p[i] >= '0' && text.p[i] <= '9' && i - first < 9) {
            part[n] = part[n] * 10 + (text.p[i++] - '0');
        }
        bool has_dot = i < text.n && text.p[i] == '.';
        if (i == first || (n < 2 && !has_dot)) {
            return "invalid leafnode's minimum version: invalid semver";
        }
        i += has_dot ? 1 : 0;
    }
    bool is_old = part[0] < 2 || (part[0] == 2 && part[1] < 8);
    return is_old ? "the minimum version should be at least 2.8.0" : NULL;
}

const struct option later_leafnode_rows[] = {
    OPTION_OTHER("listen", struct later_options, leafnodes, &listen_address_type,
                 .doc = "Port, or host:port, to listen on for leaf nodes."),
    OPTION_CHECKED("host", STR, .aliases = "net", .doc = "Address to listen on for leaf nodes."),
    OPTION_INT("port", struct later_options, leafnodes.port,
               .doc = "Port to listen on for leaf nodes."),
    OPTION_BLOCK("authorization", leaf_authorization_rows, .check = check_leaf_authorization,
                 .doc = "How leaf nodes log in."),
    OPTION_CUSTOM("tls", later_check_tls, .doc = "Encrypted leaf node connections."),
    OPTION_CHECKED("reconnect", DURATION, .aliases = "reconnect_delay reconnect_interval",
                   .doc = "Time between attempts to connect."),
    OPTION_CHECKED("dial_timeout", DURATION, .doc = "Time to connect."),
    OPTION_CHECKED("advertise", STR, .aliases = "leafnode_advertise",
                   .doc = "host or host:port that leaf nodes are told."),
    OPTION_CHECKED("no_advertise", BOOL, .doc = "Do not tell of the other servers."),
    OPTION_CHECKED("min_version", STR, .aliases = "minimum_version", .refuse = refuse_version,
                   .doc = "Oldest version that may connect."),
    OPTION_CHECKED("isolate_leafnode_interest", BOOL, .aliases = "isolate",
                   .doc = "Do not tell of the interest of other leaf nodes."),
    COMPRESSION,
    WRITE_OPTIONS,
    OPTION_CUSTOM("remotes", read_remotes, .doc = "Servers to connect to as a leaf node."),
    OPTION_END};
