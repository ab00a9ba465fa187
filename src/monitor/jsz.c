/* SPDX-License-Identifier: Apache-2.0 */
/* /jsz: JetStream, which is off (spec 07 §10). */
#include <stddef.h>

#include "base/attr.h"
#include "base/clock.h"
#include "monitor/doc.h"
#include "monitor/facts.h"
#include "monitor/monitor.h"
#include "monitor/query.h"

struct jsz_options {
    struct str account; // empty: all
    bool accounts, streams, consumers, direct_consumers, config, raft;
    bool leader_only, stream_leader_only;
    int64_t offset, limit;
};

static void write_zeros(struct json *j, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        json_add_int(j, keys[i], 0);
    }
}

static void write_object(struct json *j, const char *key, const char *const *keys, size_t n)
{
    json_key(j, key);
    json_open_object(j);
    write_zeros(j, keys, n);
    json_close_object(j);
}

static void write_disabled(struct json *j, const struct monitor_facts *f)
{
    static const char *const stats[] = {"memory",           "storage",  "reserved_memory",
                                        "reserved_storage", "accounts", "ha_assets"};
    static const char *const api[] = {"level", "total", "errors"};
    static const char *const config[] = {"max_memory", "max_storage"};
    static const char *const sums[] = {"streams", "consumers", "messages", "bytes", "total"};

    json_open_object(j);
    write_zeros(j, stats, ARRAY_SIZE(stats));
    write_object(j, "api", api, ARRAY_SIZE(api));
    json_add_str(j, "server_id", f->server_id);
    json_add_time(j, "now", clock_wall_ns());
    json_add_bool(j, "disabled", true);
    write_object(j, "config", config, ARRAY_SIZE(config));
    write_zeros(j, sums, ARRAY_SIZE(sums));
    json_close_object(j);
}

static void answer(struct query *q)
{
    const struct jsz_options *o = q->options;

    if (!o->leader_only) {
        write_disabled(&q->json, q->monitor->facts);
        query_finish(q);
    } else if (q->is_http) {
        query_fail(q, 400, "filtered response: not leader");
    } else {
        q->is_empty = true;
        query_finish(q);
    }
}

static const struct doc_option options[] = {
    {"acc", "account", DOC_OPTION_STR, offsetof(struct jsz_options, account), 0},
    {"accounts", "accounts", DOC_OPTION_BOOL, offsetof(struct jsz_options, accounts), 0},
    {"streams", "streams", DOC_OPTION_BOOL, offsetof(struct jsz_options, streams), 0},
    {"consumers", "consumer", DOC_OPTION_BOOL, offsetof(struct jsz_options, consumers), 0},
    {"direct-consumers", "direct_consumer", DOC_OPTION_BOOL,
     offsetof(struct jsz_options, direct_consumers), 0},
    {"config", "config", DOC_OPTION_BOOL, offsetof(struct jsz_options, config), 0},
    {"offset", "offset", DOC_OPTION_INT, offsetof(struct jsz_options, offset), 0},
    {"limit", "limit", DOC_OPTION_INT, offsetof(struct jsz_options, limit), 0},
    {"leader-only", "leader_only", DOC_OPTION_BOOL, offsetof(struct jsz_options, leader_only), 0},
    {"raft", "raft", DOC_OPTION_BOOL, offsetof(struct jsz_options, raft), 0},
    {"stream-leader-only", "stream_leader_only", DOC_OPTION_BOOL,
     offsetof(struct jsz_options, stream_leader_only), 0},
};

extern const struct doc jsz_doc;
const struct doc jsz_doc = {.name = "JSZ",
                            .path = "/jsz",
                            .options = options,
                            .n_options = ARRAY_SIZE(options),
                            .options_bytes = sizeof(struct jsz_options),
                            .answer = answer,
                            .indent = 2,
                            .is_counted = true};
