/* SPDX-License-Identifier: Apache-2.0 */
/* Made of the options, once. */
#include "server/server_head.h"

#include "base/attr.h"
#include "base/json.h"

static void write_tags(const struct option_list *tags, struct json *j)
{
    if (tags->n == 0) {
        return;
    }
    json_key(j, "tags");
    json_open_array(j);
    for (size_t i = 0; i < tags->n; i++) {
        json_str(j, str_of(tags->at[i]));
    }
    json_close_array(j);
}

static void write_metadata(const struct metadata *m, struct json *j)
{
    if (m->n == 0) {
        return;
    }
    json_key(j, "metadata");
    json_open_object(j);
    for (size_t i = 0; i < m->n; i++) {
        json_add_str(j, m->list[i].key, str_of(m->list[i].value));
    }
    json_close_object(j);
}

static bool is_on(const struct feature_flags *f, const char *name, bool def)
{
    for (size_t i = 0; i < f->n; i++) {
        if (str_equal(str_of(f->list[i].name), str_of(name))) {
            return f->list[i].is_on;
        }
    }
    return def;
}

/* Those that the compatible version knows; all of JetStream, which is not there yet. */
static void write_features(const struct feature_flags *f, struct json *j)
{
    static const struct {
        const char *name;
        bool def;
    } known[] = {{"js_ack_fc_v2", false},
                 {"js_api_reply_v2", false},
                 {"js_raft_delete_range", true},
                 {"js_snapshot_sources", false}};

    json_key(j, "feature_flags");
    json_open_object(j);
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        json_add_bool(j, known[i].name, is_on(f, known[i].name, known[i].def));
    }
    json_close_object(j);
}

void server_head_write(const struct server_options *o, const char *name, const char *id,
                       const char *version, struct buf *out)
{
    struct json j = json_to(out);

    json_add_str(&j, "name", str_of(name));
    json_add_str(&j, "host", str_of(o->host));
    json_add_str(&j, "id", str_of(id));
    json_add_str(&j, "ver", str_of(version));
    write_tags(&o->server_tags, &j);
    write_metadata(&o->server_metadata, &j);
    write_features(&o->feature_flags, &j);
    json_add_bool(&j, "jetstream", false);
    json_add_uint(&j, "flags", 0);
}
