/* SPDX-License-Identifier: Apache-2.0 */
/* Values (spec 03 A4 to A8). The first character decides what a value is; only a number may turn
 * out to be a bare word after all. */
#include "conf/lex_priv.h"
#include "conf/value.h"

/* ---- strings */

static int hex_digit(char c)
{
    char lower = (char)(c | 0x20);

    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Two characters are taken whatever they are; the reference then looks at the last two bytes. */
static bool read_hex(struct lexer *lx, struct token *out)
{
    bool is_line_end = lex_is_line_end(lex_take(lx)) || lex_is_line_end(lex_take(lx));
    const char *digits = lx->input.p + lx->pos - 2;
    int high = hex_digit(digits[0]);
    int low = hex_digit(digits[1]);

    if (is_line_end) {
        lex_fail(lx, out, "Expected two hexadecimal digits after '\\x', but hit end of line");
        return false;
    }
    if (high < 0 || low < 0) {
        struct buf message = {0};

        buf_add(&message, STR("Expected two hexadecimal digits after '\\x', but got '"));
        buf_add(&message, (struct str){.p = digits, .n = 2});
        buf_add_char(&message, '\'');
        lex_fail_text(lx, out, buf_str(&message));
        buf_deinit(&message);
        return false;
    }
    buf_add_char(&lx->unescaped, (char)(high * 16 + low));
    return true;
}

/* Reads what is behind a backslash; false: it was an error. */
static bool read_escape(struct lexer *lx, struct token *out)
{
    size_t n = lx->pos - 1 - lx->start; // without the backslash
    uint32_t c = lex_take(lx);

    buf_add(&lx->unescaped, (struct str){.p = lx->input.p + lx->start, .n = n});
    lx->has_escapes = true;
    switch (c) {
    case 'x':
        if (!read_hex(lx, out)) {
            return false;
        }
        break;
    case 't':
        buf_add_char(&lx->unescaped, '\t');
        break;
    case 'n':
        buf_add_char(&lx->unescaped, '\n');
        break;
    case 'r':
        buf_add_char(&lx->unescaped, '\r');
        break;
    case '"':
    case '\\':
        buf_add_char(&lx->unescaped, (char)c);
        break;
    default:
        lex_fail_at(lx, out, STR("Invalid escape character '"), c,
                    STR("'. Only the following escape characters are allowed: "
                        "\\xXX, \\t, \\n, \\r, \\\", \\\\."));
        return false;
    }
    lx->start = lx->pos;
    return true;
}

/* Behind the opening quote; escapes are for double ones only. */
static void read_quoted(struct lexer *lx, uint32_t quote, struct token *out)
{
    for (;;) {
        uint32_t c = lex_peek(lx);

        if (c == quote) {
            lex_emit(lx, TOKEN_STR, out);
            lex_take(lx);
            return;
        }
        lex_take(lx);
        if (c == 0) {
            lex_end_early(lx, out);
            return;
        }
        if (c == '\\' && quote == '"' && !read_escape(lx, out)) {
            return;
        }
    }
}

/* Behind the opening parenthesis. The closing one stands alone on its line; when it is the last
 * byte of the text, the reference takes it for content. */
static void read_block_string(struct lexer *lx, struct token *out)
{
    for (;;) {
        uint32_t c = lex_peek(lx);
        bool is_at_line_start = lx->input.p[lx->pos - 1] == '\n';

        if (c == ')' && is_at_line_start) {
            struct str after = {.p = lx->input.p + lx->pos + 1, .n = lx->input.n - lx->pos - 1};

            if (after.n == 0) {
                lex_take(lx);
                lex_emit(lx, TOKEN_STR, out);
                return;
            }
            if (after.p[0] == '\n' || after.p[0] == '\0') {
                lex_emit(lx, TOKEN_STR, out);
                lex_take(lx);
                return;
            }
        }
        lex_take(lx);
        if (c == 0) {
            lex_fail(lx, out, "Unexpected EOF processing block.");
            return;
        }
    }
}

/* ---- bare words */

static bool ends_word(uint32_t c)
{
    return c == 0 || lex_is_blank(c) || lex_is_line_end(c) || c == ';' || c == ',' || c == ']' ||
           c == '}' || c == '\'';
}

/* A word without escapes, and without the quote that may end one. */
static void emit_word(struct lexer *lx, struct token *out)
{
    struct str word = {.p = lx->input.p + lx->start, .n = lx->pos - lx->start};
    bool truth;

    if (str_starts_with(word, STR("$"))) {
        lx->start++;
        lex_emit(lx, TOKEN_VARIABLE, out);
    } else {
        lex_emit(lx, value_parse_bool(word, &truth) == ST_OK ? TOKEN_BOOL : TOKEN_STR, out);
    }
}

/* Reads a word, or the rest of one. */
static void read_word(struct lexer *lx, struct token *out)
{
    uint32_t c;

    for (c = lex_peek(lx); !ends_word(c); c = lex_peek(lx)) {
        lex_take(lx);
        if (c == '\\' && !read_escape(lx, out)) {
            return;
        }
    }
    if (c == '\'') {
        lex_emit(lx, TOKEN_STR, out);
        lex_take(lx);
    } else if (lx->has_escapes) {
        lex_emit(lx, TOKEN_STR, out);
    } else {
        emit_word(lx, out);
    }
}

/* ---- numbers */

static void skip_digits(struct lexer *lx)
{
    while (lex_is_digit(lex_peek(lx))) {
        lex_take(lx);
    }
}

/* What may follow a positive number, "]" not among them. */
static bool ends_number(uint32_t c)
{
    return c == 0 || lex_is_blank(c) || lex_is_line_end(c) || c == ';' || c == ',' || c == '}';
}

static bool is_suffix(uint32_t c)
{
    return c && c < 0x80 && strchr("kmgtpeKMGTPE", (int)c);
}

/* At the letter of a suffix. Which ones there are is not looked at here. */
static void read_suffix(struct lexer *lx, struct token *out)
{
    uint32_t c;

    lex_take(lx);
    for (c = lex_peek(lx); c == 'b' || c == 'B' || c == 'i' || c == 'I'; c = lex_peek(lx)) {
        lex_take(lx);
    }
    if (ends_number(c)) {
        lex_emit(lx, TOKEN_INT, out);
    } else {
        read_word(lx, out);
    }
}

/* At the dot. A second one makes it an address: 127.0.0.1:4222 */
static void read_fraction(struct lexer *lx, struct token *out)
{
    lex_take(lx);
    uint32_t c = lex_take(lx);

    if (!lex_is_digit(c)) {
        lex_fail_at(lx, out, STR("Floats must have a digit after the '.', but got '"), c,
                    STR("' instead."));
        return;
    }
    skip_digits(lx);
    if (lex_peek(lx) != '.') {
        lex_emit(lx, TOKEN_FLOAT, out);
        return;
    }
    for (c = '.'; lex_is_digit(c) || c == '.' || c == ':' || c == '-'; c = lex_peek(lx)) {
        lex_take(lx);
    }
    lex_emit(lx, TOKEN_STR, out);
}

/* Behind "2006-". */
static void read_date(struct lexer *lx, struct token *out)
{
    for (const char *form = "00-00T00:00:00Z"; *form; form++) {
        uint32_t c = lex_take(lx);

        if (*form == '0' && !lex_is_digit(c)) {
            lex_fail_at(lx, out, STR("Expected digit in ISO8601 datetime, but found '"), c,
                        STR("' instead."));
            return;
        }
        if (*form != '0' && c != (uint32_t)*form) {
            char before[] = "Expected '?' in ISO8601 datetime, but found '";

            *strchr(before, '?') = *form;
            lex_fail_at(lx, out, str_of(before), c, STR("' instead."));
            return;
        }
    }
    lex_emit(lx, TOKEN_DATE, out);
}

static void read_number(struct lexer *lx, struct token *out)
{
    skip_digits(lx);
    uint32_t c = lex_peek(lx);

    if (c == '.') {
        read_fraction(lx, out);
    } else if (is_suffix(c)) {
        read_suffix(lx, out);
    } else if (ends_number(c)) {
        lex_emit(lx, TOKEN_INT, out);
    } else {
        lex_take(lx); // it belongs to the word even if it would end one
        if (c != '-') {
            read_word(lx, out);
        } else if (lx->pos - lx->start == sizeof("2006-") - 1) {
            read_date(lx, out);
        } else {
            lex_fail(lx, out, "All ISO8601 dates must be in full Zulu form.");
        }
    }
}

/* At the minus. What follows the number is not looked at, but for its suffix. */
static void read_negative(struct lexer *lx, struct token *out)
{
    lex_take(lx);
    uint32_t c = lex_take(lx);

    if (c == '.') {
        lex_fail(lx, out, "Floats must start with a digit, not '.'.");
        return;
    }
    if (!lex_is_digit(c)) {
        lex_fail_at(lx, out, STR("Expected a digit but got '"), c, STR("'."));
        return;
    }
    skip_digits(lx);
    c = lex_peek(lx);
    if (c == '.') {
        read_fraction(lx, out);
    } else if (is_suffix(c)) {
        read_suffix(lx, out);
    } else {
        lex_emit(lx, TOKEN_INT, out);
    }
}

/* ---- interface */

static void open_value(struct lexer *lx, struct token *out)
{
    bool is_map = lex_take(lx) == '{';

    lex_drop(lx);
    lex_emit(lx, is_map ? TOKEN_OPEN_MAP : TOKEN_OPEN_ARRAY, out);
    lex_open(lx, is_map ? LEX_IN_MAP : LEX_IN_ARRAY);
}

void lex_value(struct lexer *lx, struct token *out)
{
    uint32_t c;

    for (c = lex_peek(lx); lex_is_blank(c); c = lex_peek(lx)) {
        lex_take(lx);
    }
    lex_drop(lx);
    lx->state = LEX_AFTER_VALUE;
    switch (c) {
    case '[':
    case '{':
        open_value(lx, out);
        break;
    case '"':
    case '\'':
        lex_take(lx);
        lex_drop(lx);
        read_quoted(lx, c, out);
        break;
    case '(':
        lex_take(lx);
        lex_drop(lx);
        read_block_string(lx, out);
        break;
    case '-':
        read_negative(lx, out);
        break;
    case '.':
        lex_fail(lx, out, "Floats must start with a digit");
        break;
    case '\n':
    case '\r':
        lex_take(lx);
        lex_fail(lx, out, "Expected value but found new line");
        break;
    default:
        if (lex_is_digit(c)) {
            read_number(lx, out);
        } else {
            read_word(lx, out);
        }
        break;
    }
}
