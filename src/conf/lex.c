/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner: keys, what separates them from values, what ends values, comments, brackets. What a
 * value looks like is in lex_value.c. Every step reads something and says what comes next; a step
 * that finds no token leaves it to the next one. */
#include "conf/lex.h"

#include "conf/lex_priv.h"

/* ---- spaces and comments */

/* White space as Unicode has it; LF and CR are. */
static bool is_space(uint32_t c)
{
    return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

static bool is_separator(uint32_t c)
{
    return c == '=' || c == ':';
}

static void skip_spaces(struct lexer *lx)
{
    while (is_space(lex_peek(lx))) {
        lex_take(lx);
    }
    lex_drop(lx);
}

static void skip_blanks(struct lexer *lx)
{
    while (lex_is_blank(lex_peek(lx))) {
        lex_take(lx);
    }
    lex_drop(lx);
}

/* Skips a comment, up to its line end; false when there is none. */
static bool skip_comment(struct lexer *lx)
{
    struct str rest = {.p = lx->input.p + lx->pos, .n = lx->input.n - lx->pos};

    if (!str_starts_with(rest, STR("#")) && !str_starts_with(rest, STR("//"))) {
        return false;
    }
    for (uint32_t c = lex_peek(lx); c && !lex_is_line_end(c); c = lex_peek(lx)) {
        lex_take(lx);
    }
    lex_drop(lx);
    return true;
}

/* ---- places */

void lex_open(struct lexer *lx, enum lex_place place)
{
    buf_add_char(&lx->places, (char)place);
    lx->state = place == LEX_IN_ARRAY ? LEX_ELEMENT : LEX_KEY;
}

static enum lex_place place_of(const struct lexer *lx)
{
    return (enum lex_place)lx->places.p[lx->places.n - 1];
}

/* Reads the bracket that ends an array or a map. */
static void close_value(struct lexer *lx, enum token_kind kind, struct token *out)
{
    lex_take(lx);
    lex_drop(lx);
    lex_emit(lx, kind, out);
    lx->places.n--;
    lx->state = LEX_AFTER_VALUE;
}

static void close_block(struct lexer *lx)
{
    lx->places.n--;
    lx->state = place_of(lx) == LEX_IN_FILE ? LEX_KEY : LEX_AFTER_BLOCK;
}

/* ---- keys */

static bool is_include(struct str key)
{
    return str_equal_nocase(key, STR("include"));
}

/* Reads a key that has no quotes. Whatever its first character is, it belongs to the key. */
static void read_bare_key(struct lexer *lx, struct token *out)
{
    uint32_t c;

    lex_drop(lx);
    lex_take(lx);
    for (c = lex_peek(lx); c && !is_space(c) && !is_separator(c); c = lex_peek(lx)) {
        lex_take(lx);
    }
    struct str key = {.p = lx->input.p + lx->start, .n = lx->pos - lx->start};
    if (!c && place_of(lx) == LEX_IN_MAP) {
        lex_fail(lx, out, "Unexpected EOF processing map key.");
    } else if (is_space(c) && is_include(key)) {
        lx->state = LEX_INCLUDE;
    } else {
        lex_emit(lx, TOKEN_KEY, out);
        lx->state = LEX_SEPARATOR;
    }
}

static void read_quoted_key(struct lexer *lx, struct token *out)
{
    uint32_t quote = lex_take(lx);
    uint32_t c;

    lex_drop(lx);
    for (c = lex_peek(lx); c && c != quote; c = lex_peek(lx)) {
        lex_take(lx);
    }
    if (!c && place_of(lx) == LEX_IN_MAP) {
        lex_fail(lx, out, "Unexpected EOF processing %s map key.",
                 quote == '"' ? "double quoted" : "quoted");
    } else if (!c) {
        lex_end_early(lx, out);
    } else {
        lex_emit(lx, TOKEN_KEY, out);
        lex_take(lx);
        lx->state = LEX_SEPARATOR;
    }
}

/* Where a key of the file is expected, but none begins. */
static void read_no_key(struct lexer *lx, struct token *out)
{
    uint32_t c = lex_take(lx);

    if (c == '{') {
        lex_open(lx, LEX_IN_BLOCK);
    } else if (c == '}') {
        close_block(lx);
    } else if (is_separator(c)) {
        lex_fail(lx, out, "Unexpected key separator '%c'", (char)c);
    } else {
        lex_end_early(lx, out); // or a lone slash: the same to the reference
    }
}

static void on_key_of_file(struct lexer *lx, struct token *out)
{
    uint32_t c = lex_peek(lx);
    bool is_in_block = place_of(lx) == LEX_IN_BLOCK;

    if (c == '"' || c == '\'') {
        read_quoted_key(lx, out);
    } else if (c == 0 || c == '{' || c == '/' || is_separator(c) || (c == '}' && is_in_block)) {
        read_no_key(lx, out);
    } else {
        read_bare_key(lx, out);
    }
}

static void on_key_of_map(struct lexer *lx, struct token *out)
{
    uint32_t c = lex_peek(lx);

    if (c == '"' || c == '\'') {
        read_quoted_key(lx, out);
    } else if (c == '}') {
        close_value(lx, TOKEN_CLOSE_MAP, out);
    } else if (c == ']') {
        lex_fail(lx, out, "Unexpected array end ']' processing map.");
    } else if (c == 0) {
        lex_fail(lx, out, "Unexpected EOF processing map.");
    } else if (is_separator(c)) {
        lex_fail(lx, out, "Unexpected key separator '%c'.", (char)c);
    } else {
        if (c == '/') { // a lone one is dropped
            lex_take(lx);
        }
        read_bare_key(lx, out);
    }
}

static void on_key(struct lexer *lx, struct token *out)
{
    skip_spaces(lx);
    if (skip_comment(lx)) {
        return;
    }
    if (place_of(lx) == LEX_IN_MAP) {
        on_key_of_map(lx, out);
    } else {
        on_key_of_file(lx, out);
    }
}

/* ---- between key and value */

/* Maps take a line end before a value, and a pair without one at their end. */
static void on_value_of_map(struct lexer *lx, struct token *out)
{
    skip_spaces(lx);
    switch (lex_peek(lx)) {
    case ',':
        lex_fail(lx, out, "Unexpected map value terminator \",\".");
        break;
    case '}':
        close_value(lx, TOKEN_CLOSE_MAP, out);
        break;
    default:
        lex_value(lx, out);
        break;
    }
}

static void on_separator(struct lexer *lx, struct token *out)
{
    bool is_in_map = place_of(lx) == LEX_IN_MAP;

    skip_spaces(lx);
    uint32_t c = lex_peek(lx);
    if (is_separator(c)) {
        lex_take(lx);
    } else if (c == 0 && !is_in_map) {
        lex_take(lx);
        lex_end(lx, out);
        return;
    }
    lex_drop(lx);
    if (is_in_map) {
        on_value_of_map(lx, out);
    } else {
        lex_value(lx, out);
    }
}

static void on_element(struct lexer *lx, struct token *out)
{
    skip_spaces(lx);
    if (skip_comment(lx)) {
        return;
    }
    switch (lex_peek(lx)) {
    case ',':
    case '/':
        lex_fail(lx, out, "Unexpected array value terminator ','.");
        break;
    case ']':
        close_value(lx, TOKEN_CLOSE_ARRAY, out);
        break;
    default:
        lex_value(lx, out);
        break;
    }
}

/* ---- include */

/* What a path without quotes must not begin with; NULL: c is fine. */
static const char *refuse_path(uint32_t c)
{
    switch (c) {
    case '[':
        return "start of an array";
    case '{':
        return "start of a map";
    case '(':
        return "start of a block";
    case '\\':
        return "escape sequence";
    case '\n':
    case '\r':
        return "new line";
    default:
        return lex_is_digit(c) || c == '-' ? "start of a number" : NULL;
    }
}

static bool ends_path(uint32_t c)
{
    return c == 0 || lex_is_blank(c) || lex_is_line_end(c) || c == ';' || c == '}' || c == '\'';
}

static void read_bare_path(struct lexer *lx, struct token *out)
{
    while (!ends_path(lex_peek(lx))) {
        lex_take(lx);
    }
    lex_emit(lx, TOKEN_INCLUDE, out);
    if (lex_peek(lx) == '\'') {
        lex_take(lx);
    }
}

static void read_quoted_path(struct lexer *lx, struct token *out)
{
    uint32_t quote = lex_take(lx);
    uint32_t c;

    lex_drop(lx);
    for (c = lex_peek(lx); c && c != quote; c = lex_peek(lx)) {
        lex_take(lx);
    }
    if (!c) {
        lex_fail(lx, out, "Unexpected EOF in %s include",
                 quote == '"' ? "double quoted" : "quoted");
        return;
    }
    lex_emit(lx, TOKEN_INCLUDE, out);
    lex_take(lx);
}

static void on_include(struct lexer *lx, struct token *out)
{
    skip_blanks(lx);
    uint32_t c = lex_peek(lx);
    const char *why = refuse_path(c);

    if (why) {
        lex_take(lx);
        lex_fail(lx, out, "Expected include value but found %s", why);
        return;
    }
    lx->state = LEX_AFTER_VALUE;
    if (c == '"' || c == '\'') {
        read_quoted_path(lx, out);
    } else {
        read_bare_path(lx, out);
    }
}

/* ---- behind a value */

static void after_value_of_file(struct lexer *lx, struct token *out)
{
    uint32_t c = lex_take(lx);
    bool is_in_block = place_of(lx) == LEX_IN_BLOCK;

    if (c == '/') {
        return; // a lone one says nothing
    }
    if (lex_is_line_end(c) || c == ';' || c == ',' || (!is_in_block && (c == 0 || c == '}'))) {
        lx->state = LEX_KEY;
    } else if (c == '}') {
        close_block(lx);
    } else if (is_in_block) {
        lex_fail_at(lx, out,
                    STR("Expected a block-level value to end with a new line, comment or EOF, "
                        "but got '"),
                    c, STR("' instead."));
    } else {
        lex_fail_at(lx, out,
                    STR("Expected a top-level value to end with a new line, comment or EOF, "
                        "but got '"),
                    c, STR("' instead."));
    }
}

static void after_value_of_map(struct lexer *lx, struct token *out)
{
    uint32_t c = lex_peek(lx);

    if (c == '}') {
        close_value(lx, TOKEN_CLOSE_MAP, out);
        return;
    }
    lex_take(lx);
    if (lex_is_line_end(c) || c == ';' || c == ',' || c == '/') {
        lx->state = LEX_KEY;
    } else {
        lex_fail_at(lx, out,
                    STR("Expected a map value terminator \",\" or a map terminator \"}\", "
                        "but got '"),
                    c, STR("' instead."));
    }
}

static void after_element(struct lexer *lx, struct token *out)
{
    uint32_t c = lex_peek(lx);

    if (c == ']') {
        close_value(lx, TOKEN_CLOSE_ARRAY, out);
        return;
    }
    lex_take(lx);
    if (lex_is_line_end(c) || c == ',' || c == '/') {
        lx->state = LEX_ELEMENT;
    } else {
        lex_fail_at(lx, out,
                    STR("Expected an array value terminator \",\" or an array terminator \"]\", "
                        "but got '"),
                    c, STR("' instead."));
    }
}

static void on_after_value(struct lexer *lx, struct token *out)
{
    enum lex_place place = place_of(lx);

    skip_blanks(lx);
    if (skip_comment(lx)) {
        lx->state = place == LEX_IN_FILE ? LEX_KEY : LEX_AFTER_VALUE;
        return;
    }
    switch (place) {
    case LEX_IN_ARRAY:
        after_element(lx, out);
        break;
    case LEX_IN_MAP:
        after_value_of_map(lx, out);
        break;
    case LEX_IN_BLOCK:
    case LEX_IN_FILE:
        after_value_of_file(lx, out);
        break;
    }
}

/* A line end does not suffice here, but a comment does. */
static void on_after_block(struct lexer *lx, struct token *out)
{
    skip_blanks(lx);
    if (skip_comment(lx)) {
        lx->state = LEX_KEY;
        return;
    }
    uint32_t c = lex_take(lx);
    if (c == '}') {
        close_block(lx);
    } else if (c == ',' || c == ';') {
        lx->state = LEX_KEY;
    } else if (!lex_is_line_end(c) && c != '/') {
        lex_fail_at(lx, out, STR("Expected a block-level to end with a '}', but got '"), c,
                    STR("' instead."));
    }
}

/* ---- interface */

void lex_init(struct lexer *lx, struct arena *arena, struct str input)
{
    *lx = (struct lexer){.arena = arena, .input = input, .line = 1};
    lex_open(lx, LEX_IN_FILE);
}

void lex_deinit(struct lexer *lx)
{
    buf_deinit(&lx->places);
    buf_deinit(&lx->unescaped);
}

void lex_next(struct lexer *lx, struct token *out)
{
    static void (*const steps[])(struct lexer *, struct token *) = {
        [LEX_KEY] = on_key,
        [LEX_SEPARATOR] = on_separator,
        [LEX_INCLUDE] = on_include,
        [LEX_ELEMENT] = on_element,
        [LEX_AFTER_VALUE] = on_after_value,
        [LEX_AFTER_BLOCK] = on_after_block,
        [LEX_DONE] = lex_end,
    };

    out->kind = TOKEN_NONE;
    while (out->kind == TOKEN_NONE) {
        steps[lx->state](lx, out);
    }
}
