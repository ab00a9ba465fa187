/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the scanner have in common: characters in, tokens out.
 *
 * A character is 0 at the end of the text. A NUL byte is the same character, and so ends whatever
 * is being read; but it can be taken, and reading goes on behind it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "conf/lex.h"

enum lex_place {
    LEX_IN_FILE,
    LEX_IN_BLOCK, // braces at top level: their pairs belong to the file
    LEX_IN_MAP,
    LEX_IN_ARRAY,
};

/* Thread, for all functions: the owner. */

/** @return  the next character; UTF8_REPLACEMENT for a byte that is none */
uint32_t lex_peek(const struct lexer *lx);

/** Read a character. @return  it */
uint32_t lex_take(struct lexer *lx);

/** What was read so far is not part of the next token. */
void lex_drop(struct lexer *lx);

/** What was read since the last drop is a token. */
void lex_emit(struct lexer *lx, enum token_kind kind, struct token *out);

/** Stop with a message; any byte may be in it. */
void lex_fail_text(struct lexer *lx, struct token *out, struct str message);

/** Stop with a message. */
void lex_fail(struct lexer *lx, struct token *out, const char *format, ...) PRINTF_LIKE(3, 4);

/** Stop with a message that has a character between two parts. */
void lex_fail_at(struct lexer *lx, struct token *out, struct str before, uint32_t c,
                 struct str after);

/** The text ended. */
void lex_end(struct lexer *lx, struct token *out);

/** The text ended too early: an error, but only when something was read since the last drop. */
void lex_end_early(struct lexer *lx, struct token *out);

/** A place within the one we are in begins. */
void lex_open(struct lexer *lx, enum lex_place place);

/** Read a value, or the bracket that opens one. */
void lex_value(struct lexer *lx, struct token *out);

/** @return  whether c is one of 0 to 9 */
static inline bool lex_is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

/** @return  whether c is white space within a line */
static inline bool lex_is_blank(uint32_t c)
{
    return c == ' ' || c == '\t';
}

/** @return  whether c ends a line */
static inline bool lex_is_line_end(uint32_t c)
{
    return c == '\n' || c == '\r';
}
