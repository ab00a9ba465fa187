/* SPDX-License-Identifier: Apache-2.0 */
/* Tags are looked for as they are read, all else afterwards. */
#include "system/filter.h"

#include "base/json_field.h"
#include "monitor/facts.h"

/** Tags that a server should have. */
struct wanted_tags {
    struct str own; // those that this one has, as JSON; empty: none
    bool is_one_missing;
};

struct filter {
    struct str name, cluster, host, domain; // empty: any
    bool is_exact;
    struct wanted_tags tags;
};

static bool has_tag(struct str own, struct str wanted)
{
    struct json_reader r;
    struct buf tag = {0};
    bool is_there = false;

    json_read_init(&r, own);
    while (!is_there && json_read_element(&r)) {
        tag.n = 0;
        is_there = json_read_str(&r, &tag) && str_equal_nocase(buf_str(&tag), wanted);
    }
    buf_deinit(&tag);
    return is_there;
}

static bool read_tags(struct json_reader *r, void *at)
{
    struct wanted_tags *tags = at;
    struct buf tag = {0};

    while (json_read_element(r)) {
        tag.n = 0;
        if (!json_read_str(r, &tag)) {
            break;
        }
        tags->is_one_missing |= !tags->own.n || !has_tag(tags->own, buf_str(&tag));
    }
    buf_deinit(&tag);
    return r->token != JSON_BAD;
}

#define FIELD(name_, field) JSON_FIELD(name_, struct filter, field)

static const struct json_field fields[] = {
    FIELD("server_name", name),
    FIELD("cluster", cluster),
    FIELD("host", host),
    FIELD("domain", domain),
    FIELD("exact_match", is_exact),
    JSON_FIELD_BY("tags", struct filter, tags, read_tags),
};

static bool fits(const struct filter *f, struct str own, struct str wanted)
{
    if (wanted.n == 0) {
        return true;
    }
    return f->is_exact ? str_equal(own, wanted)
                       : own.n && memmem(own.p, own.n, wanted.p, wanted.n) != NULL;
}

bool filter_read(struct str text, const struct monitor_facts *facts, bool *is_meant,
                 struct buf *why)
{
    struct filter f = {.tags.own = facts->tags};
    const struct str no_cluster = {0};
    bool is_ok = !text.n || json_field_read_text(text, fields, ARRAY_SIZE(fields), &f, why);

    *is_meant = fits(&f, facts->server_name, f.name) && fits(&f, no_cluster, f.cluster) &&
                fits(&f, facts->host, f.host) && !f.domain.n && !f.tags.is_one_missing;
    json_field_free(&f.name);
    json_field_free(&f.cluster);
    json_field_free(&f.host);
    json_field_free(&f.domain);
    return is_ok;
}
