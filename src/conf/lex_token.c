/* SPDX-License-Identifier: Apache-2.0 */
/* Characters in, tokens and messages out. */
#include <stdarg.h>

#include "base/utf8.h"
#include "conf/lex_priv.h"

/* ---- characters */

uint32_t lex_peek(const struct lexer *lx)
{
    struct str rest = {.p = lx->input.p + lx->pos, .n = lx->input.n - lx->pos};
    uint32_t c;

    if (rest.n == 0) {
        return 0;
    }
    return utf8_decode(rest, &c) ? c : UTF8_REPLACEMENT;
}

uint32_t lex_take(struct lexer *lx)
{
    struct str rest = {.p = lx->input.p + lx->pos, .n = lx->input.n - lx->pos};
    uint32_t c = UTF8_REPLACEMENT;

    if (rest.n == 0) {
        return 0;
    }
    size_t n = utf8_decode(rest, &c);
    if (c == '\n') {
        lx->line++;
        lx->last_lf = lx->pos;
    }
    lx->pos += n ? n : 1;
    return c;
}

void lex_drop(struct lexer *lx)
{
    lx->start = lx->pos;
    lx->start_lf = lx->last_lf;
}

/* ---- tokens */

void lex_emit(struct lexer *lx, enum token_kind kind, struct token *out)
{
    struct str text = {.p = lx->input.p + lx->start, .n = lx->pos - lx->start};

    if (lx->has_escapes) {
        buf_add(&lx->unescaped, text);
        text = arena_str(lx->arena, buf_str(&lx->unescaped));
        lx->unescaped.n = 0;
        lx->has_escapes = false;
    }
    *out = (struct token){.kind = kind,
                          .text = text,
                          .line = lx->line,
                          .column = (uint32_t)(lx->pos - text.n - lx->start_lf)};
    lex_drop(lx);
}

void lex_fail_text(struct lexer *lx, struct token *out, struct str message)
{
    *out = (struct token){
        .kind = TOKEN_ERROR, .text = arena_str(lx->arena, message), .line = lx->line};
    lx->state = LEX_DONE;
    lx->has_escapes = false;
    lx->pos = lx->input.n;
    lex_drop(lx);
}

void lex_fail(struct lexer *lx, struct token *out, const char *format, ...)
{
    struct buf message = {0};
    va_list ap;

    va_start(ap, format);
    buf_vprintf(&message, format, ap);
    va_end(ap);
    lex_fail_text(lx, out, buf_str(&message));
    buf_deinit(&message);
}

void lex_fail_at(struct lexer *lx, struct token *out, struct str before, uint32_t c,
                 struct str after)
{
    struct buf message = {0};
    char text[UTF8_MAX];

    buf_add(&message, before);
    if (c == '\n') {
        buf_add(&message, STR("\\n"));
    } else {
        buf_add(&message, (struct str){.p = text, .n = utf8_encode(text, c)});
    }
    buf_add(&message, after);
    lex_fail_text(lx, out, buf_str(&message));
    buf_deinit(&message);
}

void lex_end(struct lexer *lx, struct token *out)
{
    lex_emit(lx, TOKEN_END, out);
    lx->state = LEX_DONE;
}

void lex_end_early(struct lexer *lx, struct token *out)
{
    if (lx->pos > lx->start) {
        lex_fail(lx, out, "Unexpected EOF.");
    } else {
        lex_end(lx, out);
    }
}
