/* SPDX-License-Identifier: Apache-2.0 */
/* Writes what people read about options, from the tables of the program:
 *   option_docs md >docs/options.md
 *   option_docs conf >conf/gnatwren.conf
 *   option_docs man1 >dist/man/gnatwren.1
 *   option_docs man5 >dist/man/gnatwren.conf.5 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "conf/option.h"
#include "manual.h"
#include "server/server_config.h"

#define INDENT 4
#define MAX_TYPES 16

struct walk;

/** One of the documents. */
struct document {
    const char *head;
    const char *tail;
    bool has_later; // options of what does not exist yet are in it
    /* A row, and before and after those that are in it. A slot without base has no value. */
    void (*row)(const struct walk *w, const struct option_slot *slot);
    void (*open)(const struct walk *w, const struct option_slot *slot);
    void (*close)(const struct walk *w, const struct option *row);
};

/** A walk over all rows, those of values that are maps included. */
struct walk {
    const struct document *document;
    struct buf path;                            // of the row at hand: "authorization.users[].user"
    unsigned n_columns;                         // the row is indented so far
    const struct option_type *types[MAX_TYPES]; // whose rows have been shown
    size_t n_types;
};

/* What a type of several options holds is shown at the first of them. */
static bool is_new(struct walk *w, const struct option_type *type)
{
    for (size_t i = 0; i < w->n_types; i++) {
        if (w->types[i] == type) {
            return false;
        }
    }
    if (w->n_types < MAX_TYPES) {
        w->types[w->n_types++] = type;
    }
    return true;
}

/* The rows of what a row stands for; NULL: it has none, or they have been shown. */
static const struct option *inner_rows(struct walk *w, const struct option *row)
{
    if (row->kind == OPTION_KIND_BLOCK) {
        return row->rows;
    }
    return row->kind == OPTION_KIND_OTHER && row->type->rows && is_new(w, row->type)
               ? row->type->rows
               : NULL;
}

/* The name of what is in a row, and a dot. */
static void add_to_path(struct walk *w, const struct option *row)
{
    const char *element = row->kind == OPTION_KIND_OTHER ? row->type->element : NULL;

    if (element) {
        buf_printf(&w->path, "%s%s", strcmp(element, "[]") == 0 ? "" : ".", element);
    }
    buf_add_char(&w->path, '.');
}

static void walk_rows(struct walk *w, const struct option *rows, void *base);

static void walk_inner(struct walk *w, const struct option_slot *slot, const struct option *rows)
{
    bool is_block = slot->row->kind == OPTION_KIND_BLOCK;
    unsigned n_before = w->n_columns;

    w->document->open(w, slot);
    add_to_path(w, slot->row);
    w->n_columns += is_block || !slot->row->type->element ? INDENT : 2 * INDENT;
    walk_rows(w, rows, is_block ? slot->base : NULL);
    w->n_columns = n_before;
    w->document->close(w, slot->row);
}

/* Recurses as deep as the tables go. */
static void walk_rows(struct walk *w, const struct option *rows, void *base)
{
    for (const struct option *row = rows; row->kind != OPTION_KIND_END; row++) {
        const struct option_slot slot = {.row = row, .base = base};
        const struct option *inner = inner_rows(w, row);
        size_t n_before = w->path.n;

        if (inner && row->has_no_field && !w->document->has_later) {
            continue;
        }
        buf_add(&w->path, str_of(row->name));
        if (inner) {
            walk_inner(w, &slot, inner);
        } else {
            w->document->row(w, &slot);
        }
        w->path.n = n_before;
    }
}

/* The value of a row without a field is its default. */
static void print_value(const struct option_slot *slot, struct buf *out)
{
    const struct option *row = slot->row;

    if (slot->base) {
        option_print(slot, out);
    } else if (row->def) {
        buf_add(out, str_of(row->def));
    } else if (row->kind == OPTION_KIND_BOOL) {
        buf_add(out, STR("false"));
    } else if (row->kind == OPTION_KIND_INT || row->kind == OPTION_KIND_SIZE) {
        buf_add(out, STR("0"));
    } else if (row->kind == OPTION_KIND_STR || row->kind == OPTION_KIND_SECRET) {
        buf_add(out, STR("\"\""));
    }
}

/* ---- docs/options.md */

static const char *const kinds[] = {
    [OPTION_KIND_BOOL] = "boolean",   [OPTION_KIND_INT] = "integer",
    [OPTION_KIND_SIZE] = "size",      [OPTION_KIND_DURATION] = "duration",
    [OPTION_KIND_STR] = "string",     [OPTION_KIND_SECRET] = "secret",
    [OPTION_KIND_LIST] = "list",      [OPTION_KIND_OTHER] = "special",
    [OPTION_KIND_CUSTOM] = "special", [OPTION_KIND_ENUM] = "word",
    [OPTION_KIND_BLOCK] = "block",
};

static const char *const reloads[] = {
    [RELOAD_RESTART] = "no",
    [RELOAD_LIVE] = "yes",
    [RELOAD_NEW_CONNS] = "new connections",
    [RELOAD_HOOK] = "yes",
};

/* Words that are separated by blanks, each as code. */
static void print_words(const char *words)
{
    for (const char *p = words ? words : ""; *p;) {
        size_t n = strcspn(p, " ");

        printf("%s`%.*s`", p == words ? "" : " ", (int)n, p);
        p += n + (p[n] ? 1 : 0);
    }
}

/* Text in which < is no tag. */
static void print_text(const char *text)
{
    for (const char *p = text ? text : ""; *p; p++) {
        if (*p == '<') {
            printf("&lt;");
        } else {
            putchar(*p);
        }
    }
}

static void print_md_row(const struct walk *w, const struct option_slot *slot)
{
    const struct option *row = slot->row;
    struct buf value = {0};

    printf("| `%.*s`", STR_ARG(buf_str(&w->path)));
    if (row->aliases) {
        printf(", ");
        print_words(row->aliases);
    }
    printf(" | %s | ", kinds[row->kind]);
    print_value(slot, &value);
    if (value.n && !str_equal(buf_str(&value), STR("\"\""))) {
        printf("`%.*s`", STR_ARG(buf_str(&value)));
    }
    printf(" | %s | ", row->has_no_field || !slot->base ? "" : reloads[row->reload]);
    print_words(row->cli);
    printf(" | ");
    print_text(row->doc);
    printf(" |\n");
    buf_deinit(&value);
}

/* What is in a block is told by the names of its rows. */
static void print_md_open(const struct walk *w, const struct option_slot *slot)
{
    if (slot->row->kind != OPTION_KIND_BLOCK) {
        print_md_row(w, slot);
    }
}

static void print_md_close(const struct walk *w, const struct option *row)
{
    (void)w;
    (void)row;
}

static const struct document md = {
    .head = "# Options\n\n"
            "Written by `tools/option_docs.c` from the tables of the program; do not edit. `a.b` "
            "is `b` in the block `a { … }`,\n"
            "`a[].b` is `b` in each element of the array `a`, `a.NAME.b` in each block of `a`, "
            "whatever its name. What several options\n"
            "hold alike (`permissions`, users) is listed at the first of them.\n"
            "`gnatwren -t --explain -c FILE` shows the values in effect and where they come "
            "from.\n\n"
            "| option, aliases | type | default | reload | flag | |\n"
            "|---|---|---|---|---|---|\n",
    .tail = "",
    .has_later = true,
    .row = print_md_row,
    .open = print_md_open,
    .close = print_md_close,
};

/* ---- conf/gnatwren.conf */

/* Nothing at all is no configuration, so one option is set. */
static const char live[] = "port";

static void indent(unsigned n)
{
    printf("%*s", (int)n, "");
}

static void print_comment(const struct walk *w, const struct option *row)
{
    printf("\n");
    indent(w->n_columns);
    printf("# %s\n", row->doc ? row->doc : "");
}

/* A default may lie outside of the bounds: it cannot be set. */
static bool is_off(const struct option_slot *slot)
{
    const struct option *row = slot->row;
    bool is_number = row->kind == OPTION_KIND_INT || row->kind == OPTION_KIND_SIZE;

    if (!slot->base || !is_number || (row->min == 0 && row->max == 0)) {
        return false;
    }
    int64_t value = *(const int64_t *)(const void *)((const char *)slot->base + row->offset);
    return value < row->min || value > row->max;
}

static void print_conf_row(const struct walk *w, const struct option_slot *slot)
{
    const struct option *row = slot->row;
    struct buf value = {0};

    if (row->has_no_field) {
        return;
    }
    print_comment(w, row);
    if (!is_off(slot)) {
        print_value(slot, &value);
    }
    indent(w->n_columns);
    printf("%s%s:%s%.*s\n", strcmp(row->name, live) == 0 ? "" : "#", row->name, value.n ? " " : "",
           STR_ARG(buf_str(&value)));
    buf_deinit(&value);
}

/* Whether the element of a row is that of an array. */
static bool is_array(const struct option *row)
{
    return row->kind == OPTION_KIND_OTHER && row->type->element &&
           strcmp(row->type->element, "[]") == 0;
}

static void print_conf_open(const struct walk *w, const struct option_slot *slot)
{
    const struct option *row = slot->row;
    const char *element = row->kind == OPTION_KIND_OTHER ? row->type->element : NULL;

    print_comment(w, row);
    indent(w->n_columns);
    printf("#%s%s\n", row->name, is_array(row) ? ": [" : " {");
    if (element) {
        indent(w->n_columns + INDENT);
        printf("#%s%s\n", is_array(row) ? "" : element, is_array(row) ? "{" : " {");
    }
}

static void print_conf_close(const struct walk *w, const struct option *row)
{
    if (row->kind == OPTION_KIND_OTHER && row->type->element) {
        indent(w->n_columns + INDENT);
        printf("#}\n");
    }
    indent(w->n_columns);
    printf("#%s\n", is_array(row) ? "]" : "}");
}

static const struct document conf = {
    .head = "# SPDX-License-Identifier: Apache-2.0\n"
            "# The configuration of gnatwren: all options with their defaults. Remove the # before "
            "an option to\n"
            "# set it, and those of the blocks that it is in. docs/options.md says more, as does\n"
            "# `gnatwren -t --explain -c FILE`.\n"
            "# Written by tools/option_docs.c from the tables of the program; edit a copy.\n",
    .tail = "",
    .has_later = false,
    .row = print_conf_row,
    .open = print_conf_open,
    .close = print_conf_close,
};

/* ---- dist/man/gnatwren.conf.5 */

/* Words that are separated by blanks, in bold; `next` stands before all but the first. */
static void print_man_words(const char *first, const char *next, const char *words)
{
    for (const char *p = words ? words : ""; *p;) {
        size_t n = strcspn(p, " ");
        char *word = mem_strndup(p, n);

        printf("%s\\fB", p == words ? first : next);
        manual_print(word);
        printf("\\fR");
        mem_free(word);
        p += n + (p[n] ? 1 : 0);
    }
}

static void print_man_value(const struct option_slot *slot)
{
    struct buf value = {0};

    print_value(slot, &value);
    if (value.n && !str_equal(buf_str(&value), STR("\"\""))) {
        buf_add_char(&value, '\0');
        print_man_words("; default ", " ", value.p);
    }
    buf_deinit(&value);
}

static void print_man_row(const struct walk *w, const struct option_slot *slot)
{
    const struct option *row = slot->row;
    char *path = mem_strndup(w->path.p, w->path.n);
    bool can_change = row->has_no_field || !slot->base || row->reload != RELOAD_RESTART;

    print_man_words("\n.TP\n", " ", path);
    mem_free(path);
    print_man_words(", ", ", ", row->aliases);
    printf("\n");
    manual_print(row->doc ? row->doc : "");
    printf("\n(%s", kinds[row->kind]);
    print_man_value(slot);
    print_man_words("; flag ", ", ", row->cli);
    printf("%s)", can_change ? "" : "; no reload changes it");
}

static void print_man_open(const struct walk *w, const struct option_slot *slot)
{
    if (slot->row->kind != OPTION_KIND_BLOCK) {
        print_man_row(w, slot);
    }
}

static const struct document man = {
    .head = manual_conf_head,
    .tail = manual_conf_tail,
    .has_later = false,
    .row = print_man_row,
    .open = print_man_open,
    .close = print_md_close,
};

/* ---- */

static void print_document(const struct document *document)
{
    struct walk w = {.document = document};
    struct server_config config;
    struct option_table tables[SERVER_CONFIG_N_TABLES + 1];

    server_config_init(&config, "option_docs");
    server_config_tables(&config, tables);
    printf("%s", document->head);
    for (size_t i = 0; tables[i].rows; i++) {
        if (tables[i].base != &config.later || document->has_later) {
            walk_rows(&w, tables[i].rows, tables[i].base);
        }
    }
    printf("%s", document->tail);
    buf_deinit(&w.path);
    server_config_deinit(&config);
}

int main(int argc, char **argv)
{
    const char *which = argc == 2 ? argv[1] : "";

    if (strcmp(which, "md") == 0) {
        print_document(&md);
    } else if (strcmp(which, "conf") == 0) {
        print_document(&conf);
    } else if (strcmp(which, "man1") == 0) {
        manual_print_program();
    } else if (strcmp(which, "man5") == 0) {
        manual_print_title("GNATWREN.CONF 5", "File Formats");
        print_document(&man);
    } else {
        fprintf(stderr, "usage: option_docs md|conf|man1|man5\n");
        return 2;
    }
    return 0;
}
