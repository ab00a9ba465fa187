/* SPDX-License-Identifier: Apache-2.0 */
/* Options: one row per option, in a table next to the struct that it fills. A row knows the name,
 * the type and place of the field, default, bounds, command line flag, what a reload may do, and
 * one sentence of documentation; parsing, printing and looking up are done here for all of them.
 *
 * A block of the configuration ("authorization { … }") is a row with rows of its own that fill the
 * same struct; the dotted name "authorization.timeout" leads to one of them. Several modules may
 * add rows to one block. A row whose field has another C type than its kind does not compile.
 *
 * String fields are const char *, never NULL after option_set_defaults, and owned by the struct:
 * option_deinit releases them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/status.h"
#include "base/str.h"

enum option_kind {
    OPTION_KIND_END, // the last row of a table
    OPTION_KIND_BOOL,
    OPTION_KIND_INT,      // int64_t
    OPTION_KIND_SIZE,     // int64_t [bytes]
    OPTION_KIND_DURATION, // int64_t [ns]
    OPTION_KIND_STR,
    OPTION_KIND_SECRET, // a string that is never shown
    OPTION_KIND_ENUM,   // int-sized, an index into words
    OPTION_KIND_CUSTOM, // has its own parser; sets fields that other rows describe
    OPTION_KIND_BLOCK,
};

/** What a reload may do with a changed value. */
enum option_reload {
    RELOAD_RESTART,   // nothing: the reload is refused
    RELOAD_LIVE,      // whoever reads the option sees the new value
    RELOAD_NEW_CONNS, // as LIVE, connections keep what they began with
    RELOAD_HOOK,      // the module's reload function applies it
};

/** What a number without a unit means to a duration. */
enum option_plain {
    OPTION_PLAIN_WARNS,   // whole seconds, with a warning
    OPTION_PLAIN_SECONDS, // seconds, decimals allowed
    OPTION_PLAIN_REFUSED, // an error
};

#define OPTION_NO_MIN INT64_MIN
#define OPTION_NO_MAX INT64_MAX

struct option {
    const char *name;    // as documented, without its blocks
    const char *aliases; // other names, separated by blanks; NULL: none
    const char *doc;     // one sentence
    const char *cli;     // flags of the command line: "-p --port"; NULL: none
    enum option_kind kind;
    enum option_reload reload;
    size_t offset;            // of the field in the struct of the table
    const char *def;          // default, as text; NULL: false, 0, ""
    int64_t min;              // [unit of the field] bounds, inclusive; none when both are 0.
    int64_t max;              // A default may lie outside ("off")
    bool zero_is_default;     // 0, or an empty text, asks for the default
    enum option_plain plain;  // DURATION
    const char *const *words; // ENUM: ends with NULL
    /** STR, SECRET: says why a text is no good; NULL: it is. */
    const char *(*refuse)(struct str text);
    /** CUSTOM: sets what the text says in the struct at base. Reports errors as option_set does. */
    enum status (*set)(void *base, struct str key, struct str text, const struct diag_place *at,
                       struct diag *d);
    const struct option *rows; // BLOCK: the rows in it, ends with OPTION_END
};

/** Rows and the struct that they fill; arrays of tables end with OPTION_TABLES_END. */
struct option_table {
    const struct option *rows; // ends with OPTION_END
    void *base;
};

/** An option's row and the struct that holds its value. */
struct option_slot {
    const struct option *row;
    void *base;
};

#define OPTION_TABLES_END ((struct option_table){.rows = NULL})
#define OPTION_END {.kind = OPTION_KIND_END}

// NOLINTBEGIN(bugprone-macro-parentheses): types
/** offsetof that compiles only when the field is of type `ctype`. */
#define OPTION_OFFSET(ctype, strct, field)                                                         \
    (offsetof(strct, field) + 0 * sizeof(_Generic(&((strct *)0)->field, ctype *: (char)0)))
/** offsetof that compiles only when the field has the size of an int (an enum). */
#define OPTION_OFFSET_ENUM(strct, field)                                                           \
    (offsetof(strct, field) + 0 * sizeof(char[sizeof(((strct *)0)->field) == sizeof(int) ? 1 : -1]))
// NOLINTEND(bugprone-macro-parentheses)

#define OPTION_ROW(kind_, name_, offset_, ...)                                                     \
    {.name = (name_), .kind = (kind_), .offset = (offset_), __VA_ARGS__}

/* The rows: OPTION_kind(name, struct type, field, .other = columns, …). At least .doc is given. */
#define OPTION_BOOL(name_, strct, field, ...)                                                      \
    OPTION_ROW(OPTION_KIND_BOOL, name_, OPTION_OFFSET(bool, strct, field), __VA_ARGS__)
#define OPTION_INT(name_, strct, field, ...)                                                       \
    OPTION_ROW(OPTION_KIND_INT, name_, OPTION_OFFSET(int64_t, strct, field), __VA_ARGS__)
#define OPTION_SIZE(name_, strct, field, ...)                                                      \
    OPTION_ROW(OPTION_KIND_SIZE, name_, OPTION_OFFSET(int64_t, strct, field), __VA_ARGS__)
#define OPTION_DURATION(name_, strct, field, ...)                                                  \
    OPTION_ROW(OPTION_KIND_DURATION, name_, OPTION_OFFSET(int64_t, strct, field), __VA_ARGS__)
#define OPTION_STR(name_, strct, field, ...)                                                       \
    OPTION_ROW(OPTION_KIND_STR, name_, OPTION_OFFSET(const char *, strct, field), __VA_ARGS__)
#define OPTION_SECRET(name_, strct, field, ...)                                                    \
    OPTION_ROW(OPTION_KIND_SECRET, name_, OPTION_OFFSET(const char *, strct, field), __VA_ARGS__)
#define OPTION_ENUM(name_, strct, field, ...)                                                      \
    OPTION_ROW(OPTION_KIND_ENUM, name_, OPTION_OFFSET_ENUM(strct, field), __VA_ARGS__)
#define OPTION_CUSTOM(name_, set_, ...)                                                            \
    {.name = (name_), .kind = OPTION_KIND_CUSTOM, .set = (set_), __VA_ARGS__}
#define OPTION_BLOCK(name_, rows_, ...)                                                            \
    {.name = (name_), .kind = OPTION_KIND_BLOCK, .rows = (rows_), __VA_ARGS__}

/* Thread, for all functions: the owner of the structs. */

/**
 * Give every field its default. The structs must be zero, or have been set before.
 * A default that does not parse is a broken contract.
 */
void option_set_defaults(const struct option_table *tables);

/** Release the strings of the structs; they hold NULL afterwards. */
void option_deinit(const struct option_table *tables);

/**
 * Look up an option by its dotted name or an alias, without regard to case.
 * @return  whether there is one; blocks themselves are not found
 */
bool option_find(const struct option_table *tables, struct str name, struct option_slot *out);

/**
 * Look up an option by a flag of the command line.
 * @param flag  without dashes: "p"
 * @return      whether a row names it
 */
bool option_find_flag(const struct option_table *tables, struct str flag, struct option_slot *out);

/**
 * Set an option from text.
 * @param key  the name as the user wrote it, for messages
 * @param at   where the user wrote it; may be NULL
 * @return     ST_FAILED: the reason is in d and the value unchanged
 */
MUST_USE enum status option_set(const struct option_slot *slot, struct str key, struct str text,
                                const struct diag_place *at, struct diag *d);

/** Append the value as text that option_set takes; secrets as "***", a CUSTOM row as nothing. */
void option_print(const struct option_slot *slot, struct buf *out);
