/* SPDX-License-Identifier: Apache-2.0 */
/* What can be done with option rows: defaults, look-up, setting from text, printing. Messages are
 * those of nats-server where it has one for the case. */
#include "conf/option.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/str.h"
#include "conf/value.h"

static void *field(const struct option_slot *slot)
{
    return (char *)slot->base + slot->row->offset;
}

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

static bool is_named(const struct option *row, struct str name)
{
    return str_equal_nocase(str_of(row->name), name) ||
           has_word(row->aliases, name, str_equal_nocase);
}

/* ---- look-up */

static bool find_in(const struct option *rows, void *base, struct str name, struct option_slot *out)
{
    const char *dot = name.n ? memchr(name.p, '.', name.n) : NULL;
    struct str head = {.p = name.p, .n = dot ? (size_t)(dot - name.p) : name.n};

    for (const struct option *row = rows; row->kind != OPTION_KIND_END; row++) {
        bool is_block = row->kind == OPTION_KIND_BLOCK;

        if (is_block != (dot != NULL) || !is_named(row, head)) {
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

/* ---- setting */

/* What a set needs to report. */
struct report {
    struct str key;
    const struct diag_place *at;
    struct diag *d;
};

static enum status out_of_bounds(const struct option *row, int64_t v, const struct report *r)
{
    if (v > row->max) {
        diag_error(r->d, r->at, "%.*s value is too big", STR_ARG(r->key));
    } else if (row->kind == OPTION_KIND_DURATION && row->min == 0) {
        diag_error(r->d, r->at, "invalid %.*s, needs to be positive", STR_ARG(r->key));
    } else if (row->kind == OPTION_KIND_DURATION) {
        char text[CLOCK_DURATION_MAX];

        clock_format_duration(v, text);
        diag_error(r->d, r->at, "invalid %.*s of %s, minimum is %" PRId64 " seconds",
                   STR_ARG(r->key), text, row->min / CLOCK_SEC_NS);
    } else if (row->min <= 1) {
        diag_error(r->d, r->at, "%.*s value can not be negative", STR_ARG(r->key));
    } else {
        diag_error(r->d, r->at, "%.*s value is too small, minimum is %" PRId64, STR_ARG(r->key),
                   row->min);
    }
    return ST_FAILED;
}

static enum status parse_int(struct str text, int64_t *out, const struct report *r)
{
    switch (value_parse_int(text, out)) {
    case ST_OK:
        return ST_OK;
    case ST_OUT_OF_RANGE:
        diag_error(r->d, r->at, "integer '%.*s' is out of the range", STR_ARG(text));
        return ST_FAILED;
    default:
        diag_error(r->d, r->at, "%.*s: \"%.*s\" is not an integer", STR_ARG(r->key), STR_ARG(text));
        return ST_FAILED;
    }
}

static enum status parse_duration(const struct option *row, struct str text, int64_t *out,
                                  const struct report *r)
{
    struct buf why = {0};
    enum status st = ST_OK;
    bool is_whole = !text.n || !memchr(text.p, '.', text.n);

    if (row->plain != OPTION_PLAIN_REFUSED && (is_whole || row->plain == OPTION_PLAIN_SECONDS) &&
        value_parse_seconds(text, out) == ST_OK) {
        if (row->plain == OPTION_PLAIN_WARNS && *out != 0) {
            diag_warning(r->d, r->at,
                         "invalid use of field \"%.*s\": %.*s should be converted to a duration",
                         STR_ARG(r->key), STR_ARG(r->key));
        }
        return ST_OK;
    }
    if (value_parse_duration(text, out, &why) != ST_OK) {
        diag_error(r->d, r->at, "error parsing %.*s: time: %.*s", STR_ARG(r->key),
                   STR_ARG(buf_str(&why)));
        st = ST_FAILED;
    }
    buf_deinit(&why);
    return st;
}

static enum status set_number(const struct option_slot *slot, struct str text,
                              const struct report *r)
{
    const struct option *row = slot->row;
    int64_t v = 0;
    enum status st = row->kind == OPTION_KIND_DURATION ? parse_duration(row, text, &v, r)
                                                       : parse_int(text, &v, r);

    if (st != ST_OK) {
        return st;
    }
    if (v == 0 && row->zero_is_default) {
        return option_set(slot, r->key, str_of(row->def), r->at, r->d);
    }
    if ((row->min || row->max) && (v < row->min || v > row->max)) {
        return out_of_bounds(row, v, r);
    }
    *(int64_t *)field(slot) = v;
    return ST_OK;
}

static void replace_string(const struct option_slot *slot, struct str text)
{
    char **at = field(slot);

    mem_free(*at);
    *at = mem_strndup(text.p, text.n);
}

static enum status set_string(const struct option_slot *slot, struct str text,
                              const struct report *r)
{
    const struct option *row = slot->row;
    const char *why = row->refuse ? row->refuse(text) : NULL;

    if (!text.n && row->zero_is_default) {
        text = str_of(row->def);
    }
    if (why) {
        diag_error(r->d, r->at, "%s", why);
        return ST_FAILED;
    }
    replace_string(slot, text);
    return ST_OK;
}

static enum status set_bool(const struct option_slot *slot, struct str text, const struct report *r)
{
    if (value_parse_bool(text, field(slot)) != ST_OK) {
        diag_error(r->d, r->at, "%.*s: \"%.*s\" is neither true nor false", STR_ARG(r->key),
                   STR_ARG(text));
        return ST_FAILED;
    }
    return ST_OK;
}

static enum status set_enum(const struct option_slot *slot, struct str text, const struct report *r)
{
    const char *const *words = slot->row->words;
    struct buf list = {0};

    for (int i = 0; words[i]; i++) {
        if (str_equal(str_of(words[i]), text)) {
            *(int *)field(slot) = i;
            buf_deinit(&list);
            return ST_OK;
        }
        buf_printf(&list, "%s'%s'", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
    }
    diag_error(r->d, r->at, "%.*s must be %.*s", STR_ARG(r->key), STR_ARG(buf_str(&list)));
    buf_deinit(&list);
    return ST_FAILED;
}

enum status option_set(const struct option_slot *slot, struct str key, struct str text,
                       const struct diag_place *at, struct diag *d)
{
    struct report r = {.key = key, .at = at, .d = d};

    switch (slot->row->kind) {
    case OPTION_KIND_BOOL:
        return set_bool(slot, text, &r);
    case OPTION_KIND_INT:
    case OPTION_KIND_SIZE:
    case OPTION_KIND_DURATION:
        return set_number(slot, text, &r);
    case OPTION_KIND_STR:
    case OPTION_KIND_SECRET:
        return set_string(slot, text, &r);
    case OPTION_KIND_ENUM:
        return set_enum(slot, text, &r);
    case OPTION_KIND_CUSTOM:
        return slot->row->set(slot->base, key, text, at, d);
    case OPTION_KIND_BLOCK:
    case OPTION_KIND_END:
        break;
    }
    UNREACHABLE();
}

/* ---- whole tables */

/* Defaults are trusted: they may lie outside the bounds that values of a user must keep. */
static void set_default(const struct option_slot *slot)
{
    struct option row = *slot->row;
    struct option_slot unbounded = {.row = &row, .base = slot->base};
    struct diag d = {0};
    bool is_text = row.kind == OPTION_KIND_STR || row.kind == OPTION_KIND_SECRET;
    const char *def = row.def                        ? row.def
                      : row.kind == OPTION_KIND_BOOL ? "false"
                      : is_text                      ? ""
                                                     : "0";

    if (row.kind == OPTION_KIND_CUSTOM) {
        return; // the rows of the fields that it sets have the defaults
    }
    if (row.kind == OPTION_KIND_ENUM && !row.def) {
        def = row.words[0];
    }
    row.min = 0;
    row.max = 0;
    row.zero_is_default = false;
    row.refuse = NULL;
    ENSURE(option_set(&unbounded, str_of(row.name), str_of(def), NULL, &d) == ST_OK);
    diag_deinit(&d);
}

static void release(const struct option_slot *slot)
{
    if (slot->row->kind == OPTION_KIND_STR || slot->row->kind == OPTION_KIND_SECRET) {
        char **at = field(slot);

        mem_free(*at);
        *at = NULL;
    }
}

static void for_each(const struct option *rows, void *base, void (*fn)(const struct option_slot *))
{
    for (const struct option *row = rows; row->kind != OPTION_KIND_END; row++) {
        if (row->kind == OPTION_KIND_BLOCK) {
            for_each(row->rows, base, fn);
        } else {
            fn(&(struct option_slot){.row = row, .base = base});
        }
    }
}

void option_set_defaults(const struct option_table *tables)
{
    for (const struct option_table *t = tables; t->rows; t++) {
        for_each(t->rows, t->base, set_default);
    }
}

void option_deinit(const struct option_table *tables)
{
    for (const struct option_table *t = tables; t->rows; t++) {
        for_each(t->rows, t->base, release);
    }
}

void option_print(const struct option_slot *slot, struct buf *out)
{
    const struct option *row = slot->row;
    const void *at = field(slot);
    char text[CLOCK_DURATION_MAX];

    switch (row->kind) {
    case OPTION_KIND_BOOL:
        buf_add(out, *(const bool *)at ? STR("true") : STR("false"));
        break;
    case OPTION_KIND_INT:
    case OPTION_KIND_SIZE:
        buf_printf(out, "%" PRId64, *(const int64_t *)at);
        break;
    case OPTION_KIND_DURATION:
        clock_format_duration(*(const int64_t *)at, text);
        buf_add(out, str_of(text));
        break;
    case OPTION_KIND_STR:
        buf_add(out, str_of(*(const char *const *)at));
        break;
    case OPTION_KIND_SECRET:
        buf_add(out, str_of(*(const char *const *)at).n ? STR("***") : STR(""));
        break;
    case OPTION_KIND_ENUM:
        buf_add(out, str_of(row->words[*(const int *)at]));
        break;
    case OPTION_KIND_CUSTOM:
    case OPTION_KIND_BLOCK:
    case OPTION_KIND_END:
        break;
    }
}
