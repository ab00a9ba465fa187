/* SPDX-License-Identifier: Apache-2.0 */
/* Setting one option from a value of the configuration, or from a word of the command line.
 * Messages are those of nats-server: bounds are reported under the name that the user wrote,
 * durations under the documented one. */
#include "conf/option.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/quote.h"
#include "base/status.h"
#include "base/str.h"
#include "conf/node.h"
#include "conf/option_priv.h"
#include "conf/parse.h"
#include "conf/value.h"

#define LONG_TIMEOUT_NS (60 * CLOCK_SEC_NS)

enum status option_wrong_type(struct option_reader *r, const struct node *value, const char *want)
{
    diag_error(r->d, &value->at, "interface conversion: interface {} is %s, not %s",
               node_kind_name(value->kind), want);
    return ST_FAILED;
}

/* Appends what a placeholder stands for; returns its length, 0 if there is none at p. */
static size_t add_placeholder(struct buf *out, const char *p, const struct node *value)
{
    struct buf quoted = {0};

    if (strncmp(p, "%v", 2) == 0) {
        node_print(value, out);
        return 2;
    }
    if (strncmp(p, "%T", 2) == 0) {
        buf_add(out, str_of(node_kind_name(value->kind)));
        return 2;
    }
    if (strncmp(p, "%.*s", 4) == 0) {
        quote_go(&quoted, value->key);
        buf_add(out, (struct str){.p = quoted.p + 1, .n = quoted.n - 2});
        buf_deinit(&quoted);
        return 4;
    }
    return 0;
}

enum status option_report(struct option_reader *r, const struct node *value, const char *format)
{
    struct buf text = {0};

    for (const char *p = format; *p;) {
        size_t n = add_placeholder(&text, p, value);

        if (n == 0) {
            buf_add_char(&text, *p);
            n = 1;
        }
        p += n;
    }
    diag_error(r->d, &value->at, "%.*s", STR_ARG(buf_str(&text)));
    buf_deinit(&text);
    return ST_FAILED;
}

/* Reports a value that is not of the type of its row. */
static enum status wrong_type(const struct option *row, const struct node *value,
                              enum node_kind want, struct option_reader *r)
{
    return row->wrong ? option_report(r, value, row->wrong)
                      : option_wrong_type(r, value, node_kind_name(want));
}

/* ---- numbers */

static enum status out_of_bounds(const struct option *row, int64_t v, const struct node *value,
                                 struct option_reader *r)
{
    if (row->refused) {
        return option_report(r, value, row->refused);
    }
    if (v > row->max) {
        diag_error(r->d, &value->at, "%.*s value is too big", STR_ARG(value->key));
    } else if (row->kind == OPTION_KIND_DURATION && row->min == 0) {
        diag_error(r->d, &value->at, "invalid %s, needs to be positive", row->name);
    } else if (row->kind == OPTION_KIND_DURATION) {
        char text[CLOCK_DURATION_MAX];

        clock_format_duration(v, text);
        diag_error(r->d, &value->at, "invalid %s of %s, minimum is %" PRId64 " seconds", row->name,
                   text, row->min / CLOCK_SEC_NS);
    } else if (row->min <= 1) {
        diag_error(r->d, &value->at, "%.*s value can not be negative", STR_ARG(value->key));
    } else {
        diag_error(r->d, &value->at, "%.*s value is too small, minimum is %" PRId64,
                   STR_ARG(value->key), row->min);
    }
    return ST_FAILED;
}

static bool is_in_seconds(const struct option *row)
{
    return row->plain == OPTION_PLAIN_SECONDS || row->plain == OPTION_PLAIN_LONG_SECONDS;
}

static const char *config_name(const struct option *row)
{
    return row->config ? row->config : "authorization";
}

/* [ns] as many as there are; too long a time is the longest. */
static int64_t seconds(double s)
{
    double ns = s * (double)CLOCK_SEC_NS;

    return ns >= 0x1p63 ? INT64_MAX : ns <= -0x1p63 ? INT64_MIN : (int64_t)ns;
}

static enum status read_duration_text(const struct option *row, const struct node *value,
                                      int64_t *out, struct option_reader *r)
{
    struct buf why = {0};
    enum status st = value_parse_duration(value->text, out, &why);

    if (st != ST_OK && is_in_seconds(row)) {
        diag_error(r->d, &value->at, "error parsing %s config, '%s' time: %.*s", config_name(row),
                   row->name, STR_ARG(buf_str(&why)));
    } else if (st != ST_OK) {
        diag_error(r->d, &value->at, "error parsing %s: time: %.*s", row->name,
                   STR_ARG(buf_str(&why)));
    }
    buf_deinit(&why);
    return st == ST_OK ? ST_OK : ST_FAILED;
}

static void warn_of_long_timeout(const struct option *row, const struct node *value, int64_t ns,
                                 struct option_reader *r)
{
    struct buf written = {0};
    double s = value->kind == NODE_INT ? (double)value->number : (double)ns / (double)CLOCK_SEC_NS;

    if (value->kind == NODE_STR) {
        buf_add(&written, value->text);
    } else if (value->kind == NODE_INT) {
        buf_printf(&written, "%" PRId64, value->number);
    } else {
        buf_printf(&written, "%g", value->real);
    }
    diag_warning(r->d, &value->at,
                 "invalid use of field \"%s\": %s of %.*s (%f seconds) is high, consider keeping "
                 "it under 60 seconds. possibly caused by unquoted duration; use '1m' instead of "
                 "1m, for example",
                 row->name, row->name, STR_ARG(buf_str(&written)), s);
    buf_deinit(&written);
}

/* Seconds as a number, or a duration. */
static enum status read_seconds(const struct option *row, const struct node *value, int64_t *out,
                                struct option_reader *r)
{
    if (value->kind == NODE_INT) {
        *out = seconds((double)value->number);
    } else if (value->kind == NODE_FLOAT) {
        *out = seconds(value->real);
    } else if (value->kind != NODE_STR) {
        diag_error(r->d, &value->at, "error parsing %s config, '%s' wrong type", config_name(row),
                   row->name);
        return ST_FAILED;
    } else if (read_duration_text(row, value, out, r) != ST_OK) {
        return ST_FAILED;
    }
    if (*out > LONG_TIMEOUT_NS && row->plain == OPTION_PLAIN_SECONDS) {
        warn_of_long_timeout(row, value, *out, r);
    }
    return ST_OK;
}

static enum status read_duration(const struct option *row, const struct node *value, int64_t *out,
                                 struct option_reader *r)
{
    if (is_in_seconds(row)) {
        return read_seconds(row, value, out, r);
    }
    if (value->kind == NODE_STR) {
        return read_duration_text(row, value, out, r);
    }
    if (row->plain == OPTION_PLAIN_REFUSED) {
        return wrong_type(row, value, NODE_STR, r);
    }
    bool is_zero_word = !value->at.file && value->kind == NODE_INT && value->number == 0;
    if (!is_zero_word) { // of the command line
        diag_warning(r->d, &value->at,
                     "invalid use of field \"%s\": %s should be converted to a duration", row->name,
                     row->name);
    }
    if (value->kind != NODE_INT) {
        return wrong_type(row, value, NODE_INT, r);
    }
    *out = seconds((double)value->number);
    return ST_OK;
}

static enum status set_number(const struct option_slot *slot, const struct node *value,
                              struct option_reader *r)
{
    const struct option *row = slot->row;
    bool is_duration = row->kind == OPTION_KIND_DURATION;
    struct buf why = {0};
    int64_t v = 0;

    if (is_duration ? read_duration(row, value, &v, r) != ST_OK : value->kind != NODE_INT) {
        return is_duration ? ST_FAILED : wrong_type(row, value, NODE_INT, r);
    }
    if (!is_duration) {
        v = value->number;
    }
    if (v == 0 && row->zero_is_default) {
        ENSURE((is_duration ? value_parse_duration(str_of(row->def), &v, &why)
                            : value_parse_int(str_of(row->def), &v)) == ST_OK);
    } else if ((row->min || row->max) && (v < row->min || v > row->max)) {
        return out_of_bounds(row, v, value, r);
    }
    if (!row->has_no_field) {
        *(int64_t *)option_field(slot) = v;
    }
    return ST_OK;
}

/* ---- words */

static enum status set_bool(const struct option_slot *slot, const struct node *value,
                            struct option_reader *r)
{
    if (value->kind != NODE_BOOL) {
        return wrong_type(slot->row, value, NODE_BOOL, r);
    }
    if (!slot->row->has_no_field) {
        *(bool *)option_field(slot) = value->truth;
    }
    return ST_OK;
}

static enum status set_string(const struct option_slot *slot, const struct node *value,
                              struct option_reader *r)
{
    const struct option *row = slot->row;

    if (value->kind != NODE_STR) {
        return wrong_type(row, value, NODE_STR, r);
    }
    const char *why = row->refuse ? row->refuse(value->text) : NULL;
    if (why) {
        return option_report(r, value, why);
    }
    if (!row->has_no_field) {
        bool asks_default = !value->text.n && row->zero_is_default;

        option_replace_string(option_field(slot), asks_default ? str_of(row->def) : value->text);
    }
    return ST_OK;
}

static enum status set_enum(const struct option_slot *slot, const struct node *value,
                            struct option_reader *r)
{
    const struct option *row = slot->row;
    const char *const *words = row->words;
    struct buf list = {0};

    if (value->kind != NODE_STR) {
        return wrong_type(row, value, NODE_STR, r);
    }
    for (int i = 0; words[i]; i++) {
        if (str_equal(str_of(words[i]), value->text)) {
            if (!row->has_no_field) {
                *(int *)option_field(slot) = i;
            }
            buf_deinit(&list);
            return ST_OK;
        }
        buf_printf(&list, "%s'%s'", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
    }
    if (row->refused) {
        option_report(r, value, row->refused);
    } else {
        diag_error(r->d, &value->at, "%s must be %.*s", row->name, STR_ARG(buf_str(&list)));
    }
    buf_deinit(&list);
    return ST_FAILED;
}

/* An array of strings, or one string for a list of one. */
static enum status set_list(const struct option_slot *slot, const struct node *value,
                            struct option_reader *r)
{
    const struct option *row = slot->row;
    struct option_list list = {0};
    enum status st = ST_OK;

    if (value->kind == NODE_STR) {
        option_list_add(&list, value->text);
    } else if (value->kind != NODE_ARRAY) {
        return wrong_type(row, value, NODE_ARRAY, r);
    }
    for (const struct node *e = value->kind == NODE_ARRAY ? value->first : NULL; e; e = e->next) {
        if (e->kind == NODE_STR) {
            option_list_add(&list, e->text);
        } else {
            st = row->wrong_item ? option_report(r, e, row->wrong_item)
                                 : option_wrong_type(r, e, node_kind_name(NODE_STR));
        }
    }
    if (st != ST_OK || row->has_no_field) {
        option_list_clear(&list);
        return st;
    }
    option_list_clear(option_field(slot));
    *(struct option_list *)option_field(slot) = list;
    return ST_OK;
}

/* ---- any option */

static enum status set_any(const struct option_slot *slot, const struct node *value,
                           struct option_reader *r)
{
    const struct option *row = slot->row;

    switch (row->kind) {
    case OPTION_KIND_BOOL:
        return set_bool(slot, value, r);
    case OPTION_KIND_INT:
    case OPTION_KIND_SIZE:
    case OPTION_KIND_DURATION:
        return set_number(slot, value, r);
    case OPTION_KIND_STR:
    case OPTION_KIND_SECRET:
        return set_string(slot, value, r);
    case OPTION_KIND_ENUM:
        return set_enum(slot, value, r);
    case OPTION_KIND_LIST:
        return set_list(slot, value, r);
    case OPTION_KIND_OTHER:
        return row->type->read(option_field(slot), value, r);
    case OPTION_KIND_CUSTOM:
        return row->set(slot->base, value, r);
    case OPTION_KIND_BLOCK:
    case OPTION_KIND_END:
        break;
    }
    UNREACHABLE();
}

enum status option_set(const struct option_slot *slot, const struct node *value,
                       struct option_reader *r)
{
    enum status st = set_any(slot, value, r);

    if (st == ST_OK && slot->row->kind == OPTION_KIND_OTHER && slot->row->check) {
        st = slot->row->check(slot->base, value, r);
    }
    if (st == ST_OK && r->on_set) {
        r->on_set(r->arg, slot, &value->at);
    }
    return st;
}

/* ---- the command line */

/* Makes a number of a word; what does not fit is reported. */
static enum status read_int_word(struct node *value, struct str text, struct diag *d)
{
    value->kind = NODE_INT;
    switch (value_parse_int(text, &value->number)) {
    case ST_OK:
        return ST_OK;
    case ST_OUT_OF_RANGE:
        diag_error(d, NULL, "integer '%.*s' is out of the range", STR_ARG(text));
        return ST_FAILED;
    default:
        diag_error(d, NULL, "%.*s: \"%.*s\" is not an integer", STR_ARG(value->key), STR_ARG(text));
        return ST_FAILED;
    }
}

static enum status read_bool_word(struct node *value, struct str text, struct diag *d)
{
    value->kind = NODE_BOOL;
    if (value_parse_bool(text, &value->truth) != ST_OK) {
        diag_error(d, NULL, "%.*s: \"%.*s\" is neither true nor false", STR_ARG(value->key),
                   STR_ARG(text));
        return ST_FAILED;
    }
    return ST_OK;
}

/* A duration as such, even where the language sees a number with a suffix ("2m"); else seconds. */
static void read_duration_word(struct node *value, struct str text)
{
    struct buf why = {0};
    int64_t ns;

    *value = (struct node){.key = value->key, .kind = NODE_STR, .text = text};
    if (value_parse_duration(text, &ns, &why) == ST_OK) {
        // stays as it is
    } else if (value_parse_int(text, &ns) == ST_OK) {
        value->kind = NODE_INT;
        value->number = ns;
    } else if (value_parse_seconds(text, &ns) == ST_OK) {
        value->kind = NODE_FLOAT;
        value->real = (double)ns / (double)CLOCK_SEC_NS;
    }
    buf_deinit(&why);
}

/* Sets what may be a list or a map. A text that the language does not take, as [::1]:4222, is a
 * string. */
static enum status set_from_language(const struct option_slot *slot, struct str key,
                                     struct str text, struct option_reader *r)
{
    struct node value = {.kind = NODE_STR, .key = key, .text = text};
    struct conf_tree tree = {0};
    struct diag ignored = {0};
    struct buf pair = {0};

    buf_printf(&pair, "x = %.*s", STR_ARG(text));
    if (conf_parse_text("", buf_str(&pair), &tree, &ignored) == ST_OK && tree.root->first &&
        tree.root->first == tree.root->last) {
        value = *tree.root->first;
        value.at = (struct diag_place){0};
        value.key = key;
    }
    enum status st = option_set(slot, &value, r);
    conf_tree_deinit(&tree);
    diag_deinit(&ignored);
    buf_deinit(&pair);
    return st;
}

enum status option_set_text(const struct option_slot *slot, struct str key, struct str text,
                            struct diag *d)
{
    struct option_reader r = {.d = d};
    struct node value = {.kind = NODE_STR, .key = key, .text = text};
    enum status st = ST_OK;

    switch (slot->row->kind) {
    case OPTION_KIND_BOOL:
        st = read_bool_word(&value, text, d);
        break;
    case OPTION_KIND_INT:
    case OPTION_KIND_SIZE:
        st = read_int_word(&value, text, d);
        break;
    case OPTION_KIND_DURATION:
        read_duration_word(&value, text);
        break;
    case OPTION_KIND_STR:
    case OPTION_KIND_SECRET:
    case OPTION_KIND_ENUM:
        break;
    default:
        return set_from_language(slot, key, text, &r);
    }
    return st == ST_OK ? option_set(slot, &value, &r) : st;
}
