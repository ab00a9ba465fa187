/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the configuration language (spec 03 A2 to A8, A10). The scanner knows where it is:
 * in the file, in braces at its top level, in a map or in an array, as the same byte means
 * different things there. It keeps that on a stack of its own, so that depth costs heap only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

enum token_kind {
    TOKEN_NONE,
    TOKEN_END,   // of the text; once it came it comes again
    TOKEN_ERROR, // its text is the message; TOKEN_END follows
    TOKEN_KEY,
    TOKEN_INCLUDE, // its text is the path as written
    TOKEN_STR,
    TOKEN_BOOL,
    TOKEN_INT, // may have a suffix; may be out of range
    TOKEN_FLOAT,
    TOKEN_DATE, // has the form, may be no day of the calendar
    TOKEN_VARIABLE,
    TOKEN_OPEN_ARRAY,
    TOKEN_CLOSE_ARRAY,
    TOKEN_OPEN_MAP,
    TOKEN_CLOSE_MAP,
};

struct token {
    enum token_kind kind;
    struct str text; // without quotes and escapes; a part of the input, or in the arena
    uint32_t line;   // of its end, from 1
    uint32_t column; // [bytes] of its start, behind the last LF: from 0 on line 1, else from 1
};

/** What the scanner expects next. */
enum lex_state {
    LEX_KEY,
    LEX_SEPARATOR,
    LEX_INCLUDE,
    LEX_ELEMENT,     // of an array
    LEX_AFTER_VALUE, // what ends it
    LEX_AFTER_BLOCK, // the same for braces within braces at top level
    LEX_DONE,
};

struct lexer {
    struct arena *arena; // borrowed
    struct str input;    // borrowed
    size_t pos;          // [bytes] read so far
    size_t start;        // of the token that is being read
    size_t last_lf;      // where the last LF that was read is, 0: none yet
    size_t start_lf;     // last_lf, when start was set
    uint32_t line;
    enum lex_state state;
    struct buf places;    // what is open, innermost last: bytes that are an enum lex_place
    struct buf unescaped; // what the token is until `start`, if it has escapes
    bool has_escapes;
};

/* Thread, for all functions: the owner. */

/** Begin with a text, which has to live as long as its tokens. Release with lex_deinit. */
void lex_init(struct lexer *lx, struct arena *arena, struct str input);

/** Release what the scanner holds; tokens stay as they are. */
void lex_deinit(struct lexer *lx);

/** Read the next token. */
void lex_next(struct lexer *lx, struct token *out);
