/* SPDX-License-Identifier: Apache-2.0 */
/* What can be done with option rows besides setting them from a configuration (option_set.c,
 * option_read.c): look-up, defaults, release, comparing, printing. */
#include "conf/option.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/str.h"
#include "conf/option_priv.h"
#include "conf/value.h"

/* ---- look-up */

/* Whether `name` is one of the words in `words`, which are separated by blanks. */
static bool has_word(const char *words, struct str name, bool (*equal)(struct str, struct str))
{
    while (words && *words) {
        size_t n = strcspn(words, " ");

        if (n && equal((struct str){.p = words, .n = n}, name)) {
            return true;
        }
        words += n + (words[n] ? 1 : 0);
    }
    return false;
}

bool option_is_named(const struct option *row, struct str name)
{
    return str_equal_nocase(str_of(row->name), name) ||
           has_word(row->aliases, name, str_equal_nocase);
}

static bool find_in(const struct option *rows, void *base, struct str name, struct option_slot *out)
{
    const char *dot = name.n ? memchr(name.p, '.', name.n) : NULL;
    struct str head = {.p = name.p, .n = dot ? (size_t)(dot - name.p) : name.n};

    for (const struct option *row = rows; row->kind != OPTION_KIND_END; row++) {
        bool is_block = row->kind == OPTION_KIND_BLOCK;

        if (is_block != (dot != NULL) || !option_is_named(row, head)) {
            continue;
        }
        if (!is_block) {
            *out = (struct option_slot){.row = row, .base = base};
            return true;
        }
        if (find_in(row->rows, base, (struct str){.p = dot + 1, .n = name.n - head.n - 1}, out)) {
            return true;
        }
    }
    return false;
}

bool option_find(const struct option_table *tables, struct str name, struct option_slot *out)
{
    for (const struct option_table *t = tables; t->rows; t++) {
        if (find_in(t->rows, t->base, name, out)) {
            return true;
        }
    }
    return false;
}

static bool is_flag(struct str word, struct str flag)
{
    while (word.n && word.p[0] == '-') {
        word.p++;
        word.n--;
    }
    return str_equal(word, flag);
}

static bool find_flag_in(const struct option *rows, void *base, struct str flag,
                         struct option_slot *out)
{
    for (const struct option *row = rows; row->kind != OPTION_KIND_END; row++) {
        if (row->kind == OPTION_KIND_BLOCK) {
            if (find_flag_in(row->rows, base, flag, out)) {
                return true;
            }
        } else if (has_word(row->cli, flag, is_flag)) {
            *out = (struct option_slot){.row = row, .base = base};
            return true;
        }
    }
    return false;
}

bool option_find_flag(const struct option_table *tables, struct str flag, struct option_slot *out)
{
    for (const struct option_table *t = tables; t->rows; t++) {
        if (find_flag_in(t->rows, t->base, flag, out)) {
            return true;
        }
    }
    return false;
}

/* ---- all rows of a table */

/* What is done with every row, and the names of the blocks that it is in. */
struct walk {
    void (*fn)(void *arg, const struct option_slot *slot, struct str name);
    void *arg;
    struct buf name; // of the block, with a dot at its end
};

static void walk_rows(struct walk *w, const struct option *rows, void *base)
{
    for (const struct option *row = rows; row->kind != OPTION_KIND_END; row++) {
        size_t n_before = w->name.n;

        buf_add(&w->name, str_of(row->name));
        if (row->kind == OPTION_KIND_BLOCK) {
            buf_add_char(&w->name, '.');
            walk_rows(w, row->rows, base);
        } else {
            w->fn(w->arg, &(struct option_slot){.row = row, .base = base}, buf_str(&w->name));
        }
        w->name.n = n_before;
    }
}

void option_for_each(const struct option_table *tables,
                     void (*fn)(void *arg, const struct option_slot *slot, struct str name),
                     void *arg)
{
    struct walk w = {.fn = fn, .arg = arg};

    for (const struct option_table *t = tables; t->rows; t++) {
        walk_rows(&w, t->rows, t->base);
    }
    buf_deinit(&w.name);
}

/* ---- strings and lists */

void option_replace_string(char **at, struct str text)
{
    mem_free(*at);
    *at = mem_strndup(text.p, text.n);
}

void option_list_clear(struct option_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        mem_free(list->at[i]);
    }
    mem_free(list->at);
    *list = (struct option_list){0};
}

void option_list_add(struct option_list *list, struct str text)
{
    list->at = mem_realloc(list->at, (list->n + 1) * sizeof(*list->at));
    list->at[list->n++] = mem_strndup(text.p, text.n);
}

bool option_list_equal(const struct option_list *a, const struct option_list *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        if (strcmp(a->at[i], b->at[i]) != 0) {
            return false;
        }
    }
    return a->n == b->n;
}

/* ---- defaults */

static int word_index(const char *const *words, struct str word)
{
    for (int i = 0; words[i]; i++) {
        if (str_equal(str_of(words[i]), word)) {
            return i;
        }
    }
    UNREACHABLE();
}

/* Defaults are trusted: they may lie outside the bounds that values of a user must keep. */
static void set_default(void *arg, const struct option_slot *slot, struct str name)
{
    const struct option *row = slot->row;
    struct str def = str_of(row->def);
    struct buf why = {0};
    void *at = option_field(slot);

    (void)arg;
    (void)name;
    if (row->has_no_field) {
        return;
    }
    switch (row->kind) {
    case OPTION_KIND_BOOL:
        *(bool *)at = false;
        ENSURE(!row->def || value_parse_bool(def, at) == ST_OK);
        break;
    case OPTION_KIND_INT:
    case OPTION_KIND_SIZE:
        *(int64_t *)at = 0;
        ENSURE(!row->def || value_parse_int(def, at) == ST_OK);
        break;
    case OPTION_KIND_DURATION:
        *(int64_t *)at = 0;
        ENSURE(!row->def || value_parse_duration(def, at, &why) == ST_OK);
        break;
    case OPTION_KIND_STR:
    case OPTION_KIND_SECRET:
        option_replace_string(at, row->def ? def : STR(""));
        break;
    case OPTION_KIND_ENUM:
        *(int *)at = row->def ? word_index(row->words, def) : 0;
        break;
    case OPTION_KIND_LIST:
        option_list_clear(at);
        break;
    case OPTION_KIND_OTHER:
        if (row->type->release) {
            row->type->release(at);
        }
        break;
    case OPTION_KIND_CUSTOM: // the rows of the fields that it sets have the defaults
    case OPTION_KIND_BLOCK:
    case OPTION_KIND_END:
        break;
    }
    buf_deinit(&why);
}

void option_set_defaults(const struct option_table *tables)
{
    option_for_each(tables, set_default, NULL);
}

void option_init_block(const struct option *block, void *base)
{
    const struct option_table tables[] = {{.rows = block->rows, .base = base}, OPTION_TABLES_END};

    option_set_defaults(tables);
}

static void release(void *arg, const struct option_slot *slot, struct str name)
{
    const struct option *row = slot->row;
    void *at = option_field(slot);

    (void)arg;
    (void)name;
    if (row->has_no_field) {
        return;
    }
    if (row->kind == OPTION_KIND_STR || row->kind == OPTION_KIND_SECRET) {
        mem_free(*(char **)at);
        *(char **)at = NULL;
    } else if (row->kind == OPTION_KIND_LIST) {
        option_list_clear(at);
    } else if (row->kind == OPTION_KIND_OTHER && row->type->release) {
        row->type->release(at);
    }
}

void option_deinit(const struct option_table *tables)
{
    option_for_each(tables, release, NULL);
}

void option_deinit_block(const struct option *block, void *base)
{
    const struct option_table tables[] = {{.rows = block->rows, .base = base}, OPTION_TABLES_END};

    option_deinit(tables);
}

/* ---- comparing and printing */

bool option_equal(const struct option *row, const void *base_a, const void *base_b)
{
    const void *a = (const char *)base_a + row->offset;
    const void *b = (const char *)base_b + row->offset;

    if (row->has_no_field) {
        return true;
    }
    switch (row->kind) {
    case OPTION_KIND_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case OPTION_KIND_INT:
    case OPTION_KIND_SIZE:
    case OPTION_KIND_DURATION:
        return *(const int64_t *)a == *(const int64_t *)b;
    case OPTION_KIND_STR:
    case OPTION_KIND_SECRET:
        return str_equal(str_of(*(const char *const *)a), str_of(*(const char *const *)b));
    case OPTION_KIND_ENUM:
        return *(const int *)a == *(const int *)b;
    case OPTION_KIND_LIST:
        return option_list_equal(a, b);
    case OPTION_KIND_OTHER:
        return !row->type->equal || row->type->equal(a, b);
    case OPTION_KIND_CUSTOM:
    case OPTION_KIND_BLOCK:
    case OPTION_KIND_END:
        break;
    }
    return true;
}

/* Whether a word needs no quotes to be read as the string that it is. */
static bool is_plain_word(struct str s)
{
    static const char safe[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:*>@+~-";
    bool as_bool;

    if (!s.n || memchr("0123456789.-", s.p[0], 12) || value_parse_bool(s, &as_bool) == ST_OK) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (!memchr(safe, s.p[i], sizeof(safe) - 1)) {
            return false;
        }
    }
    return true;
}

static void print_string(struct buf *out, struct str s)
{
    if (is_plain_word(s)) {
        buf_add(out, s);
        return;
    }
    buf_add_char(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == '"' || c == '\\') {
            buf_add_char(out, '\\');
            buf_add_char(out, (char)c);
        } else if (c < ' ' || c == 0x7f) {
            buf_printf(out, "\\x%02x", c);
        } else {
            buf_add_char(out, (char)c);
        }
    }
    buf_add_char(out, '"');
}

void option_list_print(const struct option_list *list, struct buf *out)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < list->n; i++) {
        if (i) {
            buf_add(out, STR(", "));
        }
        print_string(out, str_of(list->at[i]));
    }
    buf_add_char(out, ']');
}

/* In quotes where the language would not read it as one word. */
static void print_duration(struct buf *out, int64_t ns)
{
    char text[CLOCK_DURATION_MAX];

    clock_format_duration(ns, text);
    const char *quote = ns < 0 || strchr(text, '.') ? "\"" : "";
    buf_printf(out, "%s%s%s", quote, text, quote);
}

void option_print(const struct option_slot *slot, struct buf *out)
{
    const struct option *row = slot->row;
    const void *at = option_field(slot);

    if (row->has_no_field) {
        return;
    }
    switch (row->kind) {
    case OPTION_KIND_BOOL:
        buf_add(out, *(const bool *)at ? STR("true") : STR("false"));
        break;
    case OPTION_KIND_INT:
    case OPTION_KIND_SIZE:
        buf_printf(out, "%" PRId64, *(const int64_t *)at);
        break;
    case OPTION_KIND_DURATION:
        print_duration(out, *(const int64_t *)at);
        break;
    case OPTION_KIND_STR:
        print_string(out, str_of(*(const char *const *)at));
        break;
    case OPTION_KIND_SECRET:
        buf_add(out, **(const char *const *)at ? STR("***") : STR("\"\""));
        break;
    case OPTION_KIND_ENUM:
        buf_add(out, str_of(row->words[*(const int *)at]));
        break;
    case OPTION_KIND_LIST:
        option_list_print(at, out);
        break;
    case OPTION_KIND_OTHER:
        if (row->type->print) {
            row->type->print(at, out);
        }
        break;
    case OPTION_KIND_CUSTOM:
    case OPTION_KIND_BLOCK:
    case OPTION_KIND_END:
        break;
    }
}
