/* SPDX-License-Identifier: Apache-2.0 */
/* The table of options of capabilities that do not exist yet, and what a start says to them. Rows
 * of the larger blocks are in files of their own: later_remote.c, later_front.c,
 * later_jetstream.c. */
#include "server/later_options.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "auth/account_jetstream.h"
#include "auth/nkey.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/os_error.h"
#include "conf/value.h"
#include "server/later_priv.h"

/* ---- JetStream as a word or a block */

static enum status set_jetstream(void *base, const struct node *value, struct option_reader *r)
{
    struct later_options *o = base;

    if (value->kind == NODE_BOOL) {
        o->jetstream = value->truth;
        return ST_OK;
    }
    if (value->kind != NODE_STR) {
        return option_report(r, value, "Expected map, bool or string to define JetStream, got %T");
    }
    bool is_on;
    if (jetstream_read_word(value->text, &is_on)) {
        o->jetstream = is_on;
        return ST_OK;
    }
    return option_report(r, value, "Expected 'enabled' or 'disabled' for string value, got '%v'");
}

/* The block asks for JetStream by being there. */
static enum status enable_jetstream(void *base, const struct node *block, struct option_reader *r)
{
    const struct node *enabled = node_find(block, STR("enabled"));
    const struct node *enable = node_find(block, STR("enable"));

    (void)r;
    ((struct later_options *)base)->jetstream =
        (!enabled || enabled->truth) && (!enable || enable->truth);
    return ST_OK;
}

/* ---- operators and resolvers */

/* The text of a JWT begins as all JSON in base64 does; else it is the name of a file. */
static enum status check_operator(const struct node *at, const struct node *value,
                                  struct option_reader *r)
{
    struct buf path = {0};

    if (value->kind != NODE_STR) {
        return option_report(r, at,
                             at == value ? "error parsing operators: unsupported type %T"
                                         : "error parsing operators: unsupported type *conf.token "
                                           "where string is expected");
    }
    if (str_starts_with(value->text, STR("eyJ"))) {
        return ST_OK;
    }
    buf_printf(&path, "%.*s", STR_ARG(value->text));
    buf_add_char(&path, '\0');
    bool is_there = access(path.p, R_OK) == 0;
    if (!is_there) {
        diag_error(r->d, &at->at, "error parsing operator JWT: open %s: %s", path.p,
                   os_error(errno).text);
    }
    buf_deinit(&path);
    return is_there ? ST_OK : ST_FAILED;
}

static enum status read_operator(void *base, const struct node *value, struct option_reader *r)
{
    ((struct later_options *)base)->has_operator = true;
    if (value->kind != NODE_ARRAY) {
        return check_operator(value, value, r);
    }
    for (const struct node *e = value->first; e; e = e->next) {
        if (check_operator(value, e, r) != ST_OK) {
            return ST_FAILED;
        }
    }
    return ST_OK;
}

static enum status refuse_resolver(const struct node *value, struct option_reader *r)
{
    return option_report(r, value,
                         "error parsing account resolver, should be MEM or  URL(\"url\") or a map "
                         "containing dir and type state=[FULL|CACHE])");
}

/* MEM, MEMORY, URL(…) */
static enum status read_resolver(void *base, const struct node *value, struct option_reader *r)
{
    struct str text = value->text;

    ((struct later_options *)base)->has_resolver = true;
    if (value->kind != NODE_STR) {
        return option_report(r, value, "error parsing operator resolver, wrong type %T");
    }
    if (str_equal_nocase(text, STR("MEM")) || str_equal_nocase(text, STR("MEMORY"))) {
        return ST_OK;
    }
    bool is_url = text.n > 5 && str_equal_nocase((struct str){.p = text.p, .n = 4}, STR("URL(")) &&
                  text.p[text.n - 1] == ')';
    return is_url ? ST_OK : refuse_resolver(value, r);
}

static enum status check_resolver_duration(void *base, const struct node *value,
                                           struct option_reader *r)
{
    return value->kind == NODE_STR ? ST_OK : later_check_duration(base, value, r);
}

static enum status report(const struct node *value, struct option_reader *r, const char *text)
{
    diag_error(r->d, &value->at, "%s", text);
    return ST_FAILED;
}

/* What the types of resolvers do not take. */
static enum status check_directory_resolver(const struct node *block, bool is_full,
                                            struct option_reader *r)
{
    const struct node *dir = node_find(block, STR("dir"));
    const struct node *allow_delete = node_find(block, STR("allow_delete"));

    if (is_full && node_find(block, STR("ttl"))) {
        return report(block, r, "FULL does not accept ttl");
    }
    if (!is_full && node_find(block, STR("interval"))) {
        return report(block, r, "CACHE does not accept sync");
    }
    if (!is_full && allow_delete && allow_delete->truth) {
        return report(block, r, "CACHE does not accept allow_delete");
    }
    if (!dir || !dir->text.n) {
        return report(block, r, "dir has no value and needs to point to a directory");
    }
    return ST_OK;
}

static enum status check_resolver(void *base, const struct node *block, struct option_reader *r)
{
    static const char *const times[] = {"ttl", "interval", "timeout"};
    const struct node *type = node_find(block, STR("type"));

    ((struct later_options *)base)->has_resolver = true;
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        const struct node *time = node_find(block, str_of(times[i]));

        if (time) {
            struct node at_block = *time;

            at_block.at = block->at;
            if (later_check_duration(base, &at_block, r) != ST_OK) {
                return ST_FAILED;
            }
        }
    }
    if (!type) {
        return refuse_resolver(block, r);
    }
    if (str_equal_nocase(type->text, STR("full")) || str_equal_nocase(type->text, STR("cache"))) {
        return check_directory_resolver(block, str_equal_nocase(type->text, STR("full")), r);
    }
    bool is_memory =
        str_equal_nocase(type->text, STR("mem")) || str_equal_nocase(type->text, STR("memory"));
    return is_memory ? ST_OK : refuse_resolver(block, r);
}

static const struct option resolver_rows[] = {
    OPTION_CHECKED("type", STR, .doc = "mem, full or cache."),
    OPTION_CHECKED("dir", STR, .doc = "Directory of the JWTs."),
    OPTION_CHECKED("allow_delete", BOOL, .doc = "Accounts may be deleted."),
    OPTION_CHECKED("hard_delete", BOOL, .doc = "Deleted ones are not kept."),
    OPTION_CHECKED("limit", INT, .doc = "JWTs at a time."),
    OPTION_CUSTOM("ttl", check_resolver_duration, .doc = "Time that a cache keeps a JWT."),
    OPTION_CUSTOM("interval", check_resolver_duration, .doc = "Time between comparisons."),
    OPTION_CUSTOM("timeout", check_resolver_duration, .doc = "Time to wait for an answer."),
    OPTION_END};

static enum status check_preload(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    if (value->kind != NODE_MAP) {
        return report(value, r, "preload should be a map of account_public_key:account_jwt");
    }
    for (const struct node *e = value->first; e; e = e->next) {
        if (e->kind != NODE_STR) {
            return report(value, r, "preload map value should be a string JWT");
        }
        if (!str_starts_with(e->text, STR("eyJ"))) {
            return report(e, r, "invalid account JWT");
        }
    }
    return ST_OK;
}

static enum status check_domains(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    if (value->kind != NODE_MAP) {
        return option_report(r, value, "error default_js_domain config: unsupported type %T");
    }
    for (const struct node *e = value->first; e; e = e->next) {
        if (e->kind != NODE_STR) {
            struct node at_block = *e;

            at_block.at = value->at;
            return option_wrong_type(r, &at_block, node_kind_name(NODE_STR));
        }
    }
    return ST_OK;
}

static enum status check_trusted_key(const struct node *e, struct option_reader *r)
{
    return nkey_is_valid(e->text, NKEY_OPERATOR)
               ? ST_OK
               : option_report(r, e,
                               "trust key \"%v\" required to be a valid public operator nkey");
}

static enum status read_trusted(void *base, const struct node *value, struct option_reader *r)
{
    ((struct later_options *)base)->has_operator = true;
    if (value->kind == NODE_STR) {
        return check_trusted_key(value, r);
    }
    if (value->kind != NODE_ARRAY) {
        return option_report(r, value, "error parsing trusted: unsupported type %T");
    }
    for (const struct node *e = value->first; e; e = e->next) {
        if (e->kind != NODE_STR) {
            return option_report(r, e, "error parsing trusted: unsupported type in array %T");
        }
        if (check_trusted_key(e, r) != ST_OK) {
            return ST_FAILED;
        }
    }
    return ST_OK;
}

/* ---- OCSP: its keys have one spelling */

static enum status check_ocsp(void *base, const struct node *value, struct option_reader *r)
{
    static const char *const modes[] = {"always", "must", "never", "auto"};
    struct later_options *o = base;

    o->staples_always = false;
    if (value->kind == NODE_BOOL) {
        return ST_OK;
    }
    if (value->kind != NODE_MAP) {
        return option_report(r, value, "error parsing ocsp config: unsupported type %T");
    }
    for (const struct node *e = value->first; e; e = e->next) {
        bool is_good = false;

        if (str_equal(e->key, STR("urls"))) {
            return option_wrong_type(r, e, "[]string");
        }
        if (!str_equal(e->key, STR("url")) && !str_equal(e->key, STR("mode"))) {
            return report(e, r, "error parsing ocsp config: unsupported field string");
        }
        if (e->kind != NODE_STR) {
            return option_wrong_type(r, e, node_kind_name(NODE_STR));
        }
        for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
            is_good = is_good || str_equal_nocase(e->text, str_of(modes[i]));
        }
        if (str_equal(e->key, STR("mode")) && !is_good) {
            return report(e, r, "error parsing ocsp config: unsupported ocsp mode string");
        }
        if (str_equal(e->key, STR("mode"))) {
            o->staples_always = str_equal_nocase(e->text, STR("always"));
        }
    }
    return ST_OK;
}

static enum status check_cache_type(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    if (value->kind != NODE_STR) {
        return option_report(r, value,
                             "error parsing OCSP peer cache config, unknown field [\"%.*s\"]");
    }
    bool is_good =
        str_equal_nocase(value->text, STR("none")) || str_equal_nocase(value->text, STR("local"));
    return is_good
               ? ST_OK
               : option_report(r, value, "error parsing OCSP peer cache config, unknown type [%v]");
}

static enum status check_save_interval(void *base, const struct node *value,
                                       struct option_reader *r)
{
    struct buf why = {0};
    int64_t ns;

    (void)base;
    if (value->kind == NODE_INT || value->kind == NODE_FLOAT) {
        return ST_OK;
    }
    if (value->kind != NODE_STR) {
        return report(value, r,
                      "error parsing OCSP peer cache config, conversion error: unexpected type");
    }
    enum status st = value_parse_duration(value->text, &ns, &why);
    if (st != ST_OK) {
        diag_error(r->d, &value->at, "error parsing tls peer config, conversion error: time: %.*s",
                   STR_ARG(buf_str(&why)));
        st = ST_FAILED;
    }
    buf_deinit(&why);
    return st;
}

#define UNKNOWN_CACHE_FIELD "error parsing OCSP peer cache config, unknown field [\"%.*s\"]"

static const struct option ocsp_cache_rows[] = {
    OPTION_CUSTOM("type", check_cache_type, .doc = "none or local."),
    OPTION_CHECKED("local_store", STR, .wrong = UNKNOWN_CACHE_FIELD, .doc = "Directory."),
    OPTION_CHECKED("preserve_revoked", BOOL, .wrong = UNKNOWN_CACHE_FIELD,
                   .doc = "Keep what was revoked."),
    OPTION_CUSTOM("save_interval", check_save_interval, .doc = "Time between writes to disk."),
    OPTION_END};

/* ---- the table */

static const struct option later_rows[] = {
    OPTION_STR("default_sentinel", struct later_options, default_sentinel,
               .doc = "JWT of clients that present none, in operator mode."),
    OPTION_BLOCK("cluster", later_cluster_rows, .wrong = "Expected map to define cluster, got %T",
                 .doc = "Servers that act as one."),
    OPTION_BLOCK("gateway", later_gateway_rows, .wrong = "Expected gateway to be a map, got %T",
                 .doc = "Clusters of clusters."),
    OPTION_BLOCK("leafnodes", later_leafnode_rows, .aliases = "leaf",
                 .wrong = "Expected map to define a leafnode, got %T",
                 .doc = "Servers that join as one account."),
    OPTION_BLOCK("websocket", later_websocket_rows, .aliases = "ws",
                 .wrong = "Expected websocket to be a map, got %T",
                 .doc = "Clients over WebSocket."),
    OPTION_BLOCK("mqtt", later_mqtt_rows, .wrong = "Expected mqtt to be a map, got %T",
                 .doc = "Clients that speak MQTT."),
    OPTION_CUSTOM("jetstream", set_jetstream, .doc = "JetStream: a boolean, or enabled."),
    OPTION_BLOCK("jetstream", later_jetstream_rows, .check = enable_jetstream,
                 .doc = "Streams that are kept."),
    OPTION_CUSTOM("store_dir", later_set_store_dir, .aliases = "storedir",
                  .doc = "Directory of JetStream's data."),
    OPTION_CUSTOM("operator", read_operator,
                  .aliases = "operators root roots root_operator root_operators",
                  .doc = "JWT of the operator who signs accounts."),
    OPTION_CUSTOM("trusted", read_trusted, .aliases = "trusted_keys",
                  .doc = "Public keys of operators."),
    OPTION_CUSTOM("resolver", read_resolver, .aliases = "account_resolver accounts_resolver",
                  .doc = "Where the JWTs of accounts are: MEM or URL(…)."),
    OPTION_BLOCK("resolver", resolver_rows, .aliases = "account_resolver accounts_resolver",
                 .unknown = "", .check = check_resolver, .doc = "A directory of JWTs."),
    OPTION_CUSTOM("resolver_tls", later_check_tls, .doc = "Encrypted connections to a resolver."),
    OPTION_CUSTOM("resolver_preload", check_preload, .doc = "JWTs by account."),
    OPTION_CHECKED("resolver_pinned_accounts", LIST,
                   .wrong = "error parsing resolver_pinned_accounts: unsupported type %T",
                   .wrong_item =
                       "error parsing resolver_pinned_accounts: unsupported type in array %T",
                   .doc = "Accounts that the resolver must have."),
    OPTION_CUSTOM("default_js_domain", check_domains, .doc = "Domains of JetStream by account."),
    OPTION_CUSTOM("ocsp", check_ocsp, .doc = "Staple OCSP answers."),
    OPTION_CHECKED("ocsp_cache", BOOL, .wrong = "error parsing tags: unsupported type %T",
                   .doc = "Cache of OCSP answers."),
    OPTION_BLOCK("ocsp_cache", ocsp_cache_rows, .unknown = UNKNOWN_CACHE_FIELD,
                 .doc = "Cache of OCSP answers."),
    OPTION_END};

struct option_table later_options_table(struct later_options *o)
{
    return (struct option_table){.rows = later_rows, .base = o};
}

/* ---- at start */

/* What does not exist, and the options that ask for it. */
struct missing {
    const char *name;
    const char *const options[3]; // ends with NULL
    bool is_asked;
};

static const struct diag_place *place_of(const struct later_options *o,
                                         const struct origins *origins, const struct missing *m)
{
    struct later_options *base = (struct later_options *)(uintptr_t)o; // looked at, no more
    const struct option_table tables[] = {later_options_table(base), OPTION_TABLES_END};

    for (size_t i = 0; i < ARRAY_SIZE(m->options) && m->options[i]; i++) {
        struct option_slot slot;

        if (option_find(tables, str_of(m->options[i]), &slot)) {
            const struct origin *origin = origins_find(origins, &slot);

            if (origin) {
                return &origin->at;
            }
        }
    }
    return NULL;
}

/* What the reference refuses, in its words. */
static const char *find_contradiction(const struct later_options *o)
{
    bool has_gateway = o->gateway.port != 0 || o->gateway_name[0];

    if (o->websocket.port && !o->has_websocket_tls && !o->is_websocket_plain) {
        return "websocket requires TLS configuration";
    }
    if (o->mqtt.port && !o->jetstream && !o->cluster.port && !o->gateway.port &&
        !o->leafnodes.port && !o->has_leafnode_remotes) {
        return "mqtt requires JetStream to be enabled if running in standalone mode";
    }
    if (o->default_sentinel[0] && !o->has_operator) {
        return "default sentinel requires operators and accounts";
    }
    if (has_gateway && !o->gateway_name[0]) {
        return "gateway has no name";
    }
    if (o->gateway_name[0] && o->cluster_name[0] && strcmp(o->gateway_name, o->cluster_name) != 0) {
        return "cluster name conflicts between cluster and gateway definitions";
    }
    return NULL;
}

enum status later_options_check(const struct later_options *o, const struct origins *origins,
                                struct diag *d)
{
    const struct missing list[] = {
        {"cluster", {"cluster.listen", "cluster.port"}, o->cluster.port != 0},
        {"gateway", {"gateway.name", "gateway.listen", "gateway.port"}, o->gateway.port != 0},
        {"leafnodes",
         {"leafnodes.listen", "leafnodes.port", "leafnodes.remotes"},
         o->leafnodes.port != 0 || o->has_leafnode_remotes},
        {"websocket", {"websocket.listen", "websocket.port"}, o->websocket.port != 0},
        {"mqtt", {"mqtt.listen", "mqtt.port"}, o->mqtt.port != 0},
        {"jetstream", {"jetstream"}, o->jetstream},
        {"operator", {"operator", "trusted"}, o->has_operator},
        {"resolver", {"resolver"}, o->has_resolver},
    };
    const char *contradiction = find_contradiction(o);
    uint32_t n_before = d->n_errors;

    if (contradiction) {
        diag_error(d, NULL, "%s", contradiction);
        return ST_FAILED;
    }
    if (o->gateway_name[0] && !o->gateway.port) {
        diag_error(d, NULL, "gateway \"%s\" has no port specified (select -1 for random port)",
                   o->gateway_name);
        return ST_FAILED;
    }
    for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
        if (list[i].is_asked) {
            diag_error(d, place_of(o, origins, &list[i]), "%s is not supported yet", list[i].name);
        }
    }
    return d->n_errors > n_before ? ST_FAILED : ST_OK;
}
