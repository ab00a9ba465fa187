/* SPDX-License-Identifier: Apache-2.0 */
/* Made of the options. */
#include "server/server_head.h"

#include <string.h>

#include "base/attr.h"
#include "base/json.h"
#include "base/mem.h"

void server_head_write_tags(const struct option_list *tags, struct buf *out)
{
    struct json j = json_to(out);

    if (tags->n == 0) {
        return;
    }
    json_open_array(&j);
    for (size_t i = 0; i < tags->n; i++) {
        json_str(&j, str_of(tags->at[i]));
    }
    json_close_array(&j);
}

void server_head_write_metadata(const struct metadata *m, struct buf *out)
{
    struct json j = json_to(out);

    if (m->n == 0) {
        return;
    }
    json_open_object(&j);
    for (size_t i = 0; i < m->n; i++) {
        json_add_str(&j, m->list[i].key, str_of(m->list[i].value));
    }
    json_close_object(&j);
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
void server_head_write_features(const struct feature_flags *f, struct buf *out)
{
    static const struct {
        const char *name;
        bool def;
    } known[] = {{"js_ack_fc_v2", false},
                 {"js_api_reply_v2", false},
                 {"js_raft_delete_range", true},
                 {"js_snapshot_sources", false}};

    struct json j = json_to(out);

    json_open_object(&j);
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        json_add_bool(&j, known[i].name, is_on(f, known[i].name, known[i].def));
    }
    json_close_object(&j);
}

/* A member, unless there is no value. */
static void add_json(struct json *j, const char *key, struct buf *take_json)
{
    json_opt_raw(j, key, buf_str(take_json));
    buf_deinit(take_json);
}

static struct str *keep(struct buf *take_text)
{
    struct str *s = mem_alloc(sizeof(*s) + take_text->n);
    char *bytes = (char *)(s + 1);

    memcpy(bytes, take_text->p, take_text->n);
    *s = (struct str){.p = bytes, .n = take_text->n};
    buf_deinit(take_text);
    return s;
}

struct str *server_head_new(const struct server_options *o, const char *name, const char *id,
                            const char *version)
{
    struct buf text = {0};
    struct json j = json_to(&text);
    struct buf tags = {0};
    struct buf metadata = {0};
    struct buf features = {0};

    server_head_write_tags(&o->server_tags, &tags);
    server_head_write_metadata(&o->server_metadata, &metadata);
    server_head_write_features(&o->feature_flags, &features);
    json_add_str(&j, "name", str_of(name));
    json_add_str(&j, "host", str_of(o->host));
    json_add_str(&j, "id", str_of(id));
    json_add_str(&j, "ver", str_of(version));
    add_json(&j, "tags", &tags);
    add_json(&j, "metadata", &metadata);
    add_json(&j, "feature_flags", &features);
    json_add_bool(&j, "jetstream", false);
    json_add_uint(&j, "flags", 0);
    return keep(&text);
}
