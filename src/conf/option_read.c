/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a whole configuration: each key of a map is looked up among the rows that may be named
 * there, blocks lead to further maps. Several tables may have rows for the same block; then each
 * key in it is looked up in all of them. */
#include "conf/option.h"

#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/status.h"
#include "base/str.h"
#include "conf/node.h"
#include "conf/option_priv.h"

#define MAX_TABLES 16 // that have rows for one block
#define MAX_NAME 40   // [bytes] longer keys get no suggestion
#define MAX_DISTANCE 2

/* The rows that may be named in one map. */
struct scope {
    struct option_table tables[MAX_TABLES];
    size_t n;
    const char *unknown; // as in a row
};

static void add_table(struct scope *s, const struct option *rows, void *base)
{
    ENSURE(s->n < MAX_TABLES);
    s->tables[s->n++] = (struct option_table){.rows = rows, .base = base};
}

/* ---- unknown keys */

/* The number of letters to insert, delete or replace to make b of a; both have up to MAX_NAME. */
static size_t edit_distance(struct str a, struct str b)
{
    size_t row[MAX_NAME + 1];

    for (size_t j = 0; j <= b.n; j++) {
        row[j] = j;
    }
    for (size_t i = 0; i < a.n; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < b.n; j++) {
            size_t replaced = diagonal + ((a.p[i] | 0x20) != (b.p[j] | 0x20));
            size_t added = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;

            diagonal = row[j + 1];
            row[j + 1] = replaced < added ? replaced : added;
        }
    }
    return row[b.n];
}

/* The nearest name so far. */
struct suggestion {
    struct str key;
    struct str name;
    size_t distance;
};

static void suggest_words(struct suggestion *s, const char *words)
{
    while (words && *words) {
        struct str word = {.p = words, .n = strcspn(words, " ")};

        if (word.n <= MAX_NAME) {
            size_t distance = edit_distance(s->key, word);

            if (distance < s->distance) {
                s->distance = distance;
                s->name = word;
            }
        }
        words += word.n + (words[word.n] ? 1 : 0);
    }
}

/* A name that may have been meant; empty if none is near. */
static struct str suggest(const struct scope *s, struct str key)
{
    size_t most = key.n / 2 < MAX_DISTANCE ? key.n / 2 : MAX_DISTANCE;
    struct suggestion found = {.key = key, .distance = most + 1};

    for (size_t i = 0; i < s->n && key.n <= MAX_NAME; i++) {
        const struct option *row = s->tables[i].rows;

        for (; row->kind != OPTION_KIND_END; row++) {
            suggest_words(&found, row->name);
            suggest_words(&found, row->aliases);
        }
    }
    return found.name;
}

static enum status report_unknown(const struct scope *s, const struct node *value,
                                  struct option_reader *r)
{
    struct str meant = suggest(s, value->key);
    struct buf format = {0};

    if (s->unknown && !*s->unknown) {
        return ST_OK;
    }
    buf_add(&format, str_of(s->unknown ? s->unknown : "unknown field \"%.*s\""));
    if (meant.n) {
        buf_add_char(&format, '\n');
        if (value->at.file) {
            buf_printf(&format, "%s:%u:%u: ", value->at.file, value->at.line, value->at.column);
        }
        buf_printf(&format, "did you mean \"%.*s\"?", STR_ARG(meant));
    }
    buf_add_char(&format, '\0');
    enum status st = option_report(r, value, format.p);
    buf_deinit(&format);
    return st;
}

/* ---- maps */

/* Looks up a name. A block and another row may share it: the block is for maps. */
static bool find(const struct scope *s, const struct node *value, struct option_slot *out)
{
    bool is_found = false;

    for (size_t i = 0; i < s->n; i++) {
        const struct option *row = s->tables[i].rows;

        for (; row->kind != OPTION_KIND_END; row++) {
            bool is_block = row->kind == OPTION_KIND_BLOCK;
            bool fits = is_block == (value->kind == NODE_MAP);

            if ((fits || !is_found) && option_is_named(row, value->key)) {
                *out = (struct option_slot){.row = row, .base = s->tables[i].base};
                if (fits) {
                    return true;
                }
                is_found = true;
            }
        }
    }
    return is_found;
}

/* The rows of all blocks with the name of this one. */
static struct scope enter(const struct scope *outer, const struct option *block)
{
    struct scope inner = {.unknown = block->unknown};

    for (size_t i = 0; i < outer->n; i++) {
        const struct option *row = outer->tables[i].rows;

        for (; row->kind != OPTION_KIND_END; row++) {
            if (row->kind == OPTION_KIND_BLOCK &&
                str_equal(str_of(row->name), str_of(block->name))) {
                add_table(&inner, row->rows, outer->tables[i].base);
            }
        }
    }
    return inner;
}

/* Whether what was read into all blocks with the name of this one goes together. */
static enum status check(const struct scope *outer, const struct option *block,
                         const struct node *map, struct option_reader *r)
{
    enum status st = ST_OK;

    for (size_t i = 0; i < outer->n; i++) {
        const struct option *row = outer->tables[i].rows;

        for (; row->kind != OPTION_KIND_END; row++) {
            if (row->kind == OPTION_KIND_BLOCK && row->check &&
                str_equal(str_of(row->name), str_of(block->name)) &&
                row->check(outer->tables[i].base, map, r) != ST_OK) {
                st = ST_FAILED;
            }
        }
    }
    return st;
}

static enum status read_map(const struct scope *s, const struct node *map, struct option_reader *r);

static enum status read_value(const struct scope *s, const struct node *value,
                              struct option_reader *r)
{
    struct option_slot slot;

    if (!find(s, value, &slot)) {
        return value->is_variable ? ST_OK : report_unknown(s, value, r);
    }
    if (slot.row->kind != OPTION_KIND_BLOCK) {
        return option_set(&slot, value, r);
    }
    if (value->kind != NODE_MAP) {
        return slot.row->wrong ? option_report(r, value, slot.row->wrong)
                               : option_wrong_type(r, value, node_kind_name(NODE_MAP));
    }
    struct scope inner = enter(s, slot.row);
    enum status st = read_map(&inner, value, r);
    return st == ST_OK ? check(s, slot.row, value, r) : st;
}

static enum status read_map(const struct scope *s, const struct node *map, struct option_reader *r)
{
    enum status st = ST_OK;

    for (const struct node *value = map->first; value; value = value->next) {
        if (read_value(s, value, r) != ST_OK) {
            st = ST_FAILED;
        }
    }
    return st;
}

enum status option_read(const struct option_table *tables, const struct node *map,
                        struct option_reader *r)
{
    struct scope s = {0};

    for (const struct option_table *t = tables; t->rows; t++) {
        add_table(&s, t->rows, t->base);
    }
    return read_map(&s, map, r);
}

enum status option_read_block(const struct option *block, void *base, const struct node *map,
                              struct option_reader *r)
{
    struct scope s = {.unknown = block->unknown};

    if (map->kind != NODE_MAP) {
        return block->wrong ? option_report(r, map, block->wrong)
                            : option_wrong_type(r, map, node_kind_name(NODE_MAP));
    }
    add_table(&s, block->rows, base);
    enum status st = read_map(&s, map, r);
    return st == ST_OK && block->check ? block->check(base, map, r) : st;
}
