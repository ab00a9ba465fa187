/* SPDX-License-Identifier: Apache-2.0 */
/* Types of the server's options that are no plain values. Messages are those of nats-server. */
#include "server/option_types.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/str.h"
#include "conf/node.h"
#include "conf/option.h"

/* ---- tags */

static void release_tags(void *field)
{
    option_list_clear(field);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool has_tag(const struct option_list *tags, struct str tag)
{
    for (size_t i = 0; i < tags->n; i++) {
        if (str_equal_nocase(str_of(tags->at[i]), tag)) {
            return true;
        }
    }
    return false;
}

static void add_tag(struct option_list *tags, struct str tag)
{
    while (tag.n && is_blank(tag.p[0])) {
        tag.p++;
        tag.n--;
    }
    while (tag.n && is_blank(tag.p[tag.n - 1])) {
        tag.n--;
    }
    if (!tag.n || has_tag(tags, tag)) {
        return;
    }
    option_list_add(tags, tag);
    for (char *c = tags->at[tags->n - 1]; *c; c++) {
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    }
}

static enum status read_tags(void *field, const struct node *value, struct option_reader *r)
{
    const struct node *first = value->kind == NODE_ARRAY ? value->first : NULL;

    if (value->kind != NODE_STR && value->kind != NODE_ARRAY) {
        return option_report(r, value, "error parsing tags: unsupported type %T");
    }
    for (const struct node *e = first; e; e = e->next) {
        if (e->kind != NODE_STR) {
            return option_report(r, value,
                                 "error parsing tags: unsupported type *conf.token where string is "
                                 "expected");
        }
    }
    release_tags(field);
    if (value->kind == NODE_STR) {
        add_tag(field, value->text);
    }
    for (const struct node *e = first; e; e = e->next) {
        add_tag(field, e->text);
    }
    return ST_OK;
}

static bool equal_tags(const void *a, const void *b)
{
    return option_list_equal(a, b);
}

static void print_tags(const void *field, struct buf *out)
{
    option_list_print(field, out);
}

const struct option_type tags_type = {
    .read = read_tags, .release = release_tags, .equal = equal_tags, .print = print_tags};

/* ---- metadata */

static void release_metadata(void *field)
{
    struct metadata *m = field;

    for (size_t i = 0; i < m->n; i++) {
        mem_free(m->list[i].key);
        mem_free(m->list[i].value);
    }
    mem_free(m->list);
    *m = (struct metadata){0};
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct metadata_entry *)a)->key, ((const struct metadata_entry *)b)->key);
}

static enum status read_metadata(void *field, const struct node *value, struct option_reader *r)
{
    struct metadata *m = field;

    if (value->kind != NODE_MAP) {
        return option_report(r, value, "error parsing metadata: unsupported type %T");
    }
    release_metadata(m);
    for (const struct node *e = value->first; e; e = e->next) {
        if (e->kind != NODE_STR) {
            return option_wrong_type(r, e, node_kind_name(NODE_STR));
        }
        m->list = mem_realloc(m->list, (m->n + 1) * sizeof(*m->list));
        m->list[m->n++] = (struct metadata_entry){.key = mem_strndup(e->key.p, e->key.n),
                                                  .value = mem_strndup(e->text.p, e->text.n)};
    }
    if (m->n) {
        qsort(m->list, m->n, sizeof(*m->list), compare_keys);
    }
    return ST_OK;
}

static bool equal_metadata(const void *a, const void *b)
{
    const struct metadata *x = a;
    const struct metadata *y = b;

    for (size_t i = 0; i < x->n && i < y->n; i++) {
        if (strcmp(x->list[i].key, y->list[i].key) != 0 ||
            strcmp(x->list[i].value, y->list[i].value) != 0) {
            return false;
        }
    }
    return x->n == y->n;
}

static void print_metadata(const void *field, struct buf *out)
{
    const struct metadata *m = field;

    buf_add_char(out, '{');
    for (size_t i = 0; i < m->n; i++) {
        buf_printf(out, "%s\"%s\": \"%s\"", i ? ", " : "", m->list[i].key, m->list[i].value);
    }
    buf_add_char(out, '}');
}

const struct option_type metadata_type = {.read = read_metadata,
                                          .release = release_metadata,
                                          .equal = equal_metadata,
                                          .print = print_metadata};

/* ---- feature flags */

static void release_flags(void *field)
{
    struct feature_flags *f = field;

    for (size_t i = 0; i < f->n; i++) {
        mem_free(f->list[i].name);
    }
    mem_free(f->list);
    *f = (struct feature_flags){0};
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct feature_flag *)a)->name, ((const struct feature_flag *)b)->name);
}

static enum status read_flags(void *field, const struct node *value, struct option_reader *r)
{
    struct feature_flags *f = field;

    if (value->kind != NODE_MAP) {
        return option_report(r, value, "error parsing feature flags: unsupported type %T");
    }
    release_flags(f);
    for (const struct node *e = value->first; e; e = e->next) {
        if (e->kind != NODE_BOOL) {
            return option_report(r, e,
                                 "error parsing feature flag \"%.*s\": expected bool, got %T");
        }
        f->list = mem_realloc(f->list, (f->n + 1) * sizeof(*f->list));
        f->list[f->n++] =
            (struct feature_flag){.name = mem_strndup(e->key.p, e->key.n), .is_on = e->truth};
    }
    if (f->n) {
        qsort(f->list, f->n, sizeof(*f->list), compare_names);
    }
    return ST_OK;
}

static bool equal_flags(const void *a, const void *b)
{
    const struct feature_flags *x = a;
    const struct feature_flags *y = b;

    for (size_t i = 0; i < x->n && i < y->n; i++) {
        if (strcmp(x->list[i].name, y->list[i].name) != 0 || x->list[i].is_on != y->list[i].is_on) {
            return false;
        }
    }
    return x->n == y->n;
}

static void print_flags(const void *field, struct buf *out)
{
    const struct feature_flags *f = field;

    buf_add_char(out, '{');
    for (size_t i = 0; i < f->n; i++) {
        buf_printf(out, "%s%s: %s", i ? ", " : "", f->list[i].name,
                   f->list[i].is_on ? "true" : "false");
    }
    buf_add_char(out, '}');
}

const struct option_type feature_flags_type = {
    .read = read_flags, .release = release_flags, .equal = equal_flags, .print = print_flags};

/* The default of a feature; NULL: there is no such feature. */
static const bool *find_default(const char *name)
{
    static const struct {
        const char *name;
        bool is_on;
    } known[] = {
        {"js_ack_fc_v2", false},
        {"js_api_reply_v2", false},
        {"js_raft_delete_range", true},
        {"js_snapshot_sources", false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (strcmp(known[i].name, name) == 0) {
            return &known[i].is_on;
        }
    }
    return NULL;
}

void feature_flags_log(const struct feature_flags *f)
{
    struct buf configured = {0};
    struct buf unknown = {0};

    for (size_t i = 0; i < f->n; i++) {
        const struct feature_flag *flag = &f->list[i];
        const bool *usual = find_default(flag->name);

        if (!usual) {
            buf_printf(&unknown, "%s%s", unknown.n ? ", " : "", flag->name);
            continue;
        }
        bool is_usual = *usual == flag->is_on;
        buf_printf(&configured, "%s%s (%s)", configured.n ? ", " : "", flag->name,
                   is_usual      ? flag->is_on ? "enabled" : "disabled"
                   : flag->is_on ? "opt-in"
                                 : "opt-out");
    }
    if (f->n) {
        log_info("  Feature flags:");
    }
    if (configured.n) {
        log_info("    Configured:    %.*s", STR_ARG(buf_str(&configured)));
    }
    if (unknown.n) {
        log_info("    Unsupported:   %.*s", STR_ARG(buf_str(&unknown)));
    }
    buf_deinit(&configured);
    buf_deinit(&unknown);
}
