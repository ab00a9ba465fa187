/* SPDX-License-Identifier: Apache-2.0 */
/* What is a number in JSON is one here. */
#include "monitor/metrics_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "conn/histogram.h"

#define NO_LABELS (&(struct metrics_label){0})

void metrics_begin(const struct metrics_text *t, const char *name, const char *type,
                   const char *help)
{
    buf_printf(t->out, "# TYPE %s %s\n", name, type);
    if (help) {
        buf_printf(t->out, "# HELP %s %s\n", name, help);
    }
}

/* ---- samples */

static void add_label(struct buf *out, const char *name, struct str value)
{
    buf_printf(out, "%s=\"", name);
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];

        if (c == '\n') {
            buf_add(out, STR("\\n"));
            continue;
        }
        if (c == '"' || c == '\\') {
            buf_add_char(out, '\\');
        }
        buf_add_char(out, c);
    }
    buf_add_char(out, '"');
}

/* Up to the value. */
static void begin_sample(const struct metrics_text *t, const char *name, const char *suffix,
                         const struct metrics_label *labels)
{
    buf_printf(t->out, "%s%s{", name, suffix);
    add_label(t->out, "server_id", t->server_id);
    for (; labels->name; labels++) {
        buf_add_char(t->out, ',');
        add_label(t->out, labels->name, labels->value);
    }
    buf_add(t->out, STR("} "));
}

void metrics_add(const struct metrics_text *t, const char *name, const struct metrics_label *labels,
                 uint64_t value)
{
    begin_sample(t, name, "", labels);
    buf_printf(t->out, "%" PRIu64 "\n", value);
}

static void add_text(const struct metrics_text *t, const char *name, struct str value)
{
    metrics_begin(t, name, "gauge", NULL);
    begin_sample(t, name, "", NO_LABELS);
    buf_add(t->out, value);
    buf_add_char(t->out, '\n');
}

void metrics_gauge(const struct metrics_text *t, const char *name, uint64_t value)
{
    metrics_begin(t, name, "gauge", NULL);
    metrics_add(t, name, NO_LABELS, value);
}

void metrics_info(const struct metrics_text *t, const char *name, struct str value)
{
    metrics_begin(t, name, "gauge", NULL);
    metrics_add(t, name, (struct metrics_label[]){{"value", value}, {0}}, 1);
}

/* ---- histograms */

/* A limit as OpenMetrics wants it: with a fraction or an exponent. */
static const char *format_limit(unsigned bucket, double unit, char out[40])
{
    double limit = (double)(UINT64_C(1) << bucket) * unit;
    char text[32];

    snprintf(text, sizeof(text), "%.12g", limit);
    snprintf(out, 40, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
    return out;
}

void metrics_histogram(const struct metrics_text *t, const char *name,
                       const struct metrics_label *label, const struct histogram_sum *h,
                       double unit)
{
    struct metrics_label labels[] = {
        {.name = "le"}, label ? *label : (struct metrics_label){0}, {0}};
    uint64_t n = 0;
    char limit[40];

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        bool is_last = i == HISTOGRAM_BUCKETS - 1;

        n += h->n[i];
        labels[0].value = is_last ? STR("+Inf") : str_of(format_limit(i, unit, limit));
        begin_sample(t, name, "_bucket", labels);
        buf_printf(t->out, "%" PRIu64 "\n", n);
    }
    begin_sample(t, name, "_sum", labels + 1);
    buf_printf(t->out, "%.15g\n", (double)h->sum * unit);
    begin_sample(t, name, "_count", labels + 1);
    buf_printf(t->out, "%" PRIu64 "\n", n);
}

/* ---- documents */

/* Appends "_" and the name of a member, of which nothing but letters, digits and single "_" is
 * left. */
static void add_key(struct buf *name, struct str key)
{
    buf_add_char(name, '_');
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (is_plain) {
            buf_add_char(name, c);
        } else if (name->p[name->n - 1] != '_') {
            buf_add_char(name, '_');
        }
    }
    if (name->p[name->n - 1] == '_') {
        name->n--;
    }
}

static void add_number(const struct metrics_text *t, struct buf *name, struct str value)
{
    buf_add_char(name, '\0');
    add_text(t, name->p, value);
}

/* The object under the cursor. Documents are ours, and nest a few levels. */
static void flatten(const struct metrics_text *t, struct json_reader *r, struct buf *name)
{
    size_t n = name->n;

    while (json_read_member(r)) {
        name->n = n;
        add_key(name, r->key);
        if (r->token == JSON_OPEN_OBJECT) {
            flatten(t, r, name);
            continue;
        }
        if (r->token == JSON_NUMBER) {
            add_number(t, name, r->raw);
        }
        json_read_skip(r);
    }
}

void metrics_flatten(const struct metrics_text *t, const char *prefix, struct str json)
{
    struct json_reader r;
    struct buf name = {0};

    json_read_init(&r, json);
    buf_add(&name, str_of(prefix));
    flatten(t, &r, &name);
    buf_deinit(&name);
}

void metrics_end(const struct metrics_text *t)
{
    buf_add(t->out, STR("# EOF\n"));
}
