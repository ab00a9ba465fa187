/* SPDX-License-Identifier: Apache-2.0 */
/* From tokens to a tree: variables are resolved, included files merged. A text that another one
 * leads to (a file that is included, a variable of the environment) is parsed on its own, one call
 * deeper. */
#include "conf/parse.h"

#include <stdlib.h>

#include "conf/builder.h"
#include "conf/conf_file.h"
#include "conf/lex.h"
#include "conf/number.h"
#include "conf/value.h"

#define MAX_SOURCES 1000 // that lead to each other: more would be too much for the C stack

/* A text that is parsed: a file, or the value of an environment variable. */
struct source {
    const struct source *from; // what includes or refers to it; NULL: nothing
    const char *path;          // "": none
    struct str variable;       // p == NULL: a file
    struct conf_file_id id;    // of a file
    bool has_places;           // its values know where they are from
    unsigned depth;
};

struct parser {
    const struct source *source;
    struct arena *arena;
    struct lexer lx;
    struct builder tree;
    struct buf *why; // the reason when a function fails
};

static enum status parse(const struct source *source, struct arena *arena, struct str text,
                         struct node **root, struct buf *why);

/* ---- tokens */

static struct diag_place place_of(const struct parser *p, const struct token *t)
{
    return (struct diag_place){.file = p->source->has_places ? p->source->path : NULL,
                               .line = t->line,
                               .column = t->column};
}

static enum status on_int(struct parser *p, const struct token *t)
{
    struct node value = {.kind = NODE_INT, .at = place_of(p, t)};
    enum status st = number_parse_int(t->text, &value.number);

    if (st == ST_OUT_OF_RANGE) {
        buf_printf(p->why, "integer '%.*s' is out of the range", STR_ARG(t->text));
        return ST_FAILED;
    }
    if (st == ST_OK) { // a number with an unknown suffix vanishes, and its key waits on
        builder_add(&p->tree, &value);
    }
    return ST_OK;
}

static enum status on_float(struct parser *p, const struct token *t)
{
    struct node value = {.kind = NODE_FLOAT, .at = place_of(p, t)};

    if (number_parse_float(t->text, &value.real) != ST_OK) {
        buf_printf(p->why, "float '%.*s' is out of the range", STR_ARG(t->text));
        return ST_FAILED;
    }
    builder_add(&p->tree, &value);
    return ST_OK;
}

static enum status on_date(struct parser *p, const struct token *t)
{
    struct node value = {.kind = NODE_DATE, .at = place_of(p, t)};

    if (number_parse_date(t->text, &value.date_s) != ST_OK) {
        buf_printf(p->why, "expected Zulu formatted DateTime, but got '%.*s'", STR_ARG(t->text));
        return ST_FAILED;
    }
    builder_add(&p->tree, &value);
    return ST_OK;
}

static void on_str(struct parser *p, const struct token *t)
{
    const struct node value = {.kind = NODE_STR, .text = t->text, .at = place_of(p, t)};

    builder_add(&p->tree, &value);
}

static void on_bool(struct parser *p, const struct token *t)
{
    struct node value = {.kind = NODE_BOOL, .at = place_of(p, t)};

    ENSURE(value_parse_bool(t->text, &value.truth) == ST_OK); // or it were no such token
    builder_add(&p->tree, &value);
}

static enum status on_error(struct parser *p, const struct token *t)
{
    buf_printf(p->why, "Parse error on line %u: '", t->line);
    buf_add(p->why, t->text); // may hold NUL bytes
    buf_add_char(p->why, '\'');
    return ST_FAILED;
}

/* ---- variables */

static bool is_cycle(const struct source *from, struct str variable)
{
    for (const struct source *s = from; s; s = s->from) {
        if (s->variable.p && str_equal(s->variable, variable)) {
            return true;
        }
    }
    return false;
}

/* Parses the value of an environment variable as if it stood in a file. *out is NULL when it has
 * none. */
static enum status parse_environment(struct parser *p, struct str name, const struct node **out,
                                     struct buf *why)
{
    const char *text =
        getenv(arena_str(p->arena, name).p); // NOLINT(concurrency-mt-unsafe): no setenv
    const struct source source = {
        .from = p->source, .path = "", .variable = name, .depth = p->source->depth + 1};
    struct str key = STR("pk"); // as in the reference: what else the text defines is not seen
    struct buf pair = {0};
    struct node *root = NULL;

    *out = NULL;
    if (!text) {
        return ST_OK;
    }
    if (is_cycle(p->source, name)) {
        buf_printf(why, "variable reference cycle for '%.*s'", STR_ARG(name));
        return ST_FAILED;
    }
    buf_printf(&pair, "%.*s=%s", STR_ARG(key), text);
    enum status st = parse(&source, p->arena, arena_str(p->arena, buf_str(&pair)), &root, why);
    buf_deinit(&pair);
    for (const struct node *n = st == ST_OK ? root->first : NULL; n && !*out; n = n->next) {
        *out = str_equal(n->key, key) ? n : NULL;
    }
    return st;
}

static enum status on_environment(struct parser *p, const struct token *t, struct node *out)
{
    const struct node *found;
    struct buf why = {0};
    enum status st = parse_environment(p, t->text, &found, &why);

    if (st != ST_OK) {
        buf_printf(p->why, "variable reference for '%.*s' on line %u could not be parsed: ",
                   STR_ARG(t->text), t->line);
        buf_add(p->why, buf_str(&why));
    } else if (!found) {
        buf_printf(p->why, "variable reference for '%.*s' on line %u can not be found",
                   STR_ARG(t->text), t->line);
        st = ST_FAILED;
    } else {
        *out = *found;
    }
    buf_deinit(&why);
    return st;
}

static enum status on_variable(struct parser *p, const struct token *t)
{
    struct node value = {.kind = NODE_STR};
    struct node *found = builder_find(&p->tree, t->text);

    if (str_starts_with(t->text, STR("2a$"))) { // a bcrypt hash: itself, with its dollar sign
        value.text = (struct str){.p = t->text.p - 1, .n = t->text.n + 1};
    } else if (found) {
        found->is_variable = true;
        value = *found;
    } else if (on_environment(p, t, &value) != ST_OK) {
        return ST_FAILED;
    }
    value.is_variable = false;
    value.at = place_of(p, t);
    builder_add(&p->tree, &value);
    return ST_OK;
}

/* ---- includes */

static bool is_being_read(const struct source *from, const struct conf_file_id *id)
{
    for (const struct source *s = from; s; s = s->from) {
        if (!s->variable.p && s->id.inode == id->inode && s->id.device == id->device) {
            return true;
        }
    }
    return false;
}

static enum status parse_included(struct parser *p, struct str written, struct node **root,
                                  struct buf *why)
{
    struct source source = {.from = p->source,
                            .path = conf_file_resolve(p->arena, p->source->path, written),
                            .has_places = p->source->has_places,
                            .depth = p->source->depth + 1};
    struct buf text = {0};

    if (!source.has_places) { // the reference reads such files in another way
        buf_add(why, STR("error opening config file: "));
    }
    enum status st = conf_file_read(source.path, &text, &source.id, why);
    if (st == ST_OK && is_being_read(p->source, &source.id)) {
        why->n = 0;
        buf_printf(why, "%s includes itself", source.path);
        st = ST_FAILED;
    }
    if (st == ST_OK) {
        why->n = 0;
        st = parse(&source, p->arena, arena_str(p->arena, buf_str(&text)), root, why);
    }
    buf_deinit(&text);
    return st;
}

static enum status on_include(struct parser *p, const struct token *t)
{
    struct node *root = NULL;
    struct buf why = {0};
    enum status st = parse_included(p, t->text, &root, &why);

    if (st != ST_OK) {
        buf_printf(p->why, "error parsing include file '%.*s', ", STR_ARG(t->text));
        buf_add(p->why, buf_str(&why));
    }
    for (const struct node *n = st == ST_OK ? root->first : NULL; n; n = n->next) {
        builder_put(&p->tree, n);
    }
    buf_deinit(&why);
    return st;
}

/* ---- a whole text */

static enum status on_token(struct parser *p, const struct token *t)
{
    struct diag_place at = place_of(p, t);

    switch (t->kind) {
    case TOKEN_KEY:
        builder_add_key(&p->tree, t->text, &at);
        return ST_OK;
    case TOKEN_OPEN_ARRAY:
        builder_open(&p->tree, NODE_ARRAY);
        return ST_OK;
    case TOKEN_OPEN_MAP:
        builder_open(&p->tree, NODE_MAP);
        return ST_OK;
    case TOKEN_CLOSE_ARRAY:
    case TOKEN_CLOSE_MAP:
        builder_close(&p->tree, &at);
        return ST_OK;
    case TOKEN_STR:
        on_str(p, t);
        return ST_OK;
    case TOKEN_BOOL:
        on_bool(p, t);
        return ST_OK;
    case TOKEN_INT:
        return on_int(p, t);
    case TOKEN_FLOAT:
        return on_float(p, t);
    case TOKEN_DATE:
        return on_date(p, t);
    case TOKEN_VARIABLE:
        return on_variable(p, t);
    case TOKEN_INCLUDE:
        return on_include(p, t);
    case TOKEN_ERROR:
        return on_error(p, t);
    case TOKEN_NONE:
    case TOKEN_END:
        break;
    }
    UNREACHABLE();
}

/* A file may end in a key only if that is a bracket which somebody closed once too often. */
static enum status parse_tokens(struct parser *p)
{
    struct token t;
    enum status st = ST_OK;
    bool is_key = false;

    for (lex_next(&p->lx, &t); st == ST_OK && t.kind != TOKEN_END; lex_next(&p->lx, &t)) {
        is_key = t.kind == TOKEN_KEY && !str_equal(t.text, STR("}"));
        st = on_token(p, &t);
    }
    if (st == ST_OK && is_key) {
        buf_printf(p->why, "config is invalid (%s:%u:%u)", p->source->path, t.line, t.column);
        st = ST_FAILED;
    }
    return st;
}

/* Parses a text that lives as long as the arena. */
static enum status parse(const struct source *source, struct arena *arena, struct str text,
                         struct node **root, struct buf *why)
{
    struct parser p = {.source = source, .arena = arena, .why = why};

    if (source->depth >= MAX_SOURCES) {
        buf_printf(why, "more than %d files and variables lead to each other", MAX_SOURCES);
        return ST_FAILED;
    }
    lex_init(&p.lx, arena, text);
    *root = builder_init(&p.tree, arena);
    enum status st = parse_tokens(&p);
    builder_deinit(&p.tree);
    lex_deinit(&p.lx);
    return st;
}

/* ---- interface */

static enum status parse_root(const struct source *source, struct str text, struct conf_tree *out,
                              struct diag *d)
{
    struct buf why = {0};
    enum status st = parse(source, &out->arena, arena_str(&out->arena, text), &out->root, &why);

    if (st != ST_OK) {
        diag_error_text(d, buf_str(&why));
    } else if (!out->root->first) {
        diag_warning(d, NULL, "%s: config has no values or is empty", source->path);
    }
    buf_deinit(&why);
    return st;
}

enum status conf_parse_file(const char *path, struct conf_tree *out, struct diag *d)
{
    struct source source = {.has_places = true};
    struct buf text = {0};
    struct buf why = {0};

    *out = (struct conf_tree){0};
    source.path = arena_str(&out->arena, str_of(path)).p;
    enum status st = conf_file_read(path, &text, &source.id, &why);
    if (st == ST_OK) {
        st = parse_root(&source, buf_str(&text), out, d);
    } else {
        diag_error_text(d, buf_str(&why));
    }
    buf_deinit(&text);
    buf_deinit(&why);
    return st;
}

enum status conf_parse_text(const char *path, struct str text, struct conf_tree *out,
                            struct diag *d)
{
    struct source source = {.has_places = true};

    *out = (struct conf_tree){0};
    source.path = arena_str(&out->arena, str_of(path)).p;
    return parse_root(&source, text, out, d);
}

void conf_tree_deinit(struct conf_tree *t)
{
    arena_deinit(&t->arena);
    t->root = NULL;
}
