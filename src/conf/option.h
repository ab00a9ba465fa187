/* SPDX-License-Identifier: Apache-2.0 */
/* Options: one row per option, in a table next to the struct that it fills. A row knows the name,
 * the type and place of the field, default, bounds, command line flag, what a reload may do, and
 * one sentence of documentation; reading, printing, comparing and looking up are done here for all
 * of them. A value comes from a node of the configuration (conf/node.h); the command line makes
 * such nodes of its words.
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
#include "conf/node.h"

struct option_slot;

enum option_kind {
    OPTION_KIND_END, // the last row of a table
    OPTION_KIND_BOOL,
    OPTION_KIND_INT,      // int64_t
    OPTION_KIND_SIZE,     // int64_t [bytes]
    OPTION_KIND_DURATION, // int64_t [ns]
    OPTION_KIND_STR,
    OPTION_KIND_SECRET, // a string that is never shown
    OPTION_KIND_ENUM,   // int-sized, an index into words
    OPTION_KIND_LIST,   // struct option_list of strings
    OPTION_KIND_OTHER,  // any field; its struct option_type knows it
    OPTION_KIND_CUSTOM, // no field: sets fields that other rows describe
    OPTION_KIND_BLOCK,
};

/** A list of strings, each with a NUL; owned by the struct. */
struct option_list {
    char **at;
    size_t n;
};

/** Who reads a configuration: where messages go, and what is noted of what was set. */
struct option_reader {
    struct diag *d;
    /** May be NULL: called for every option that was set. */
    void (*on_set)(void *arg, const struct option_slot *slot, const struct diag_place *at);
    void *arg;
};

/** What can be done with a field of a type of its own. All but `read` may be NULL. */
struct option_type {
    /** Replace what the field holds by what `value` says; errors are reported, the field may then
     * be half set. */
    enum status (*read)(void *field, const struct node *value, struct option_reader *r);
    void (*release)(void *field); // leaves it zeroed
    bool (*equal)(const void *a, const void *b);
    void (*print)(const void *field, struct buf *out); // secrets as ***
    /* For documents: the rows that describe the value, or each of its elements. */
    const struct option *rows; // ends with OPTION_END; NULL: it has none
    const char *element;       // "[]" of an array, "NAME" of a map; NULL: the value itself
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
    OPTION_PLAIN_WARNS,        // whole seconds, with a warning
    OPTION_PLAIN_SECONDS,      // seconds, decimals allowed; beyond a minute with a warning
    OPTION_PLAIN_LONG_SECONDS, // the same without the warning
    OPTION_PLAIN_REFUSED,      // an error
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
    size_t offset;           // of the field in the struct of the table
    const char *def;         // default, as text; NULL: false, 0, ""
    int64_t min;             // [unit of the field] bounds, inclusive; none when both are 0.
    int64_t max;             // A default may lie outside ("off")
    bool zero_is_default;    // 0, or an empty text, asks for the default
    bool has_no_field;       // checked but not kept (of a BLOCK: no more than its checks need):
                             // its capability does not exist yet
    enum option_plain plain; // DURATION
    const char *config;      // DURATION in seconds: "tls" in the message "error parsing tls config,
                             // 'timeout' wrong type"; NULL: "authorization"
    const char *const *words; // ENUM: ends with NULL
    /** STR, SECRET: says why a text is no good, as a format of option_report; NULL: it is. */
    const char *(*refuse)(struct str text);
    const struct option_type *type; // OTHER
    /** CUSTOM: sets what the value says in the struct at base. Reports errors as option_set does.
     */
    enum status (*set)(void *base, const struct node *value, struct option_reader *r);
    const struct option *rows; // BLOCK: the rows in it, ends with OPTION_END
    /** BLOCK, OTHER: called when all of it has been read: does that go together? NULL: it does. */
    enum status (*check)(void *base, const struct node *value, struct option_reader *r);
    /* Messages of this option's own, see option_report; NULL: the usual ones. */
    const char *unknown;    // BLOCK: for a key without a row; "": it is ignored
    const char *wrong;      // for a value of a wrong type
    const char *wrong_item; // LIST: for an element of a wrong type
    const char *refused;    // for a number out of bounds, for a word that is none of words
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
#define OPTION_LIST(name_, strct, field, ...)                                                      \
    OPTION_ROW(OPTION_KIND_LIST, name_, OPTION_OFFSET(struct option_list, strct, field),           \
               __VA_ARGS__)
#define OPTION_OTHER(name_, strct, field, type_, ...)                                              \
    OPTION_ROW(OPTION_KIND_OTHER, name_, offsetof(strct, field), .type = (type_), __VA_ARGS__)
/** A row that is only checked; kind_ is BOOL, INT, … */
#define OPTION_CHECKED(name_, kind_, ...)                                                          \
    {.name = (name_), .kind = OPTION_KIND_##kind_, .has_no_field = true, __VA_ARGS__}
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
 * Set an option from a value of the configuration.
 * @param value  its key is the name as the user wrote it, for messages; its place may be empty
 * @return       ST_FAILED: the reason was reported and a plain value is unchanged
 */
MUST_USE enum status option_set(const struct option_slot *slot, const struct node *value,
                                struct option_reader *r);

/**
 * Set an option from a word of the command line. What is a string to the option is taken as it
 * stands; all else is read as a value of the configuration language would be.
 * @param key  the name as the user wrote it, for messages
 */
MUST_USE enum status option_set_text(const struct option_slot *slot, struct str key,
                                     struct str text, struct diag *d);

/**
 * Set all options that a map names. A key without a row is an error, with a suggestion where one
 * is near, unless it was used as a variable. All errors are reported.
 * @param map  the root of a configuration
 * @return     ST_FAILED: at least one error
 */
MUST_USE enum status option_read(const struct option_table *tables, const struct node *map,
                                 struct option_reader *r);

/**
 * The same for a struct that is not the whole configuration, as an element of a list.
 * @param block  a row whose .rows describe the struct at base, and whose .unknown is used
 */
MUST_USE enum status option_read_block(const struct option *block, void *base,
                                       const struct node *map, struct option_reader *r);

/** Give the fields that the rows of a block describe their defaults; the struct must be zero. */
void option_init_block(const struct option *block, void *base);

/** Release what the fields that the rows of a block describe hold. */
void option_deinit_block(const struct option *block, void *base);

/**
 * Report an error in words of its own.
 * @param format  %.*s in it stands for the key of the value, quoted but for the quotes themselves;
 *                %v for the value, %T for its type
 * @return        ST_FAILED
 */
enum status option_report(struct option_reader *r, const struct node *value, const char *format);

/** Report that a value is of the wrong type: `interface conversion: interface {} is string, not
 * int64`. @param want  as node_kind_name gives it. @return ST_FAILED */
enum status option_wrong_type(struct option_reader *r, const struct node *value, const char *want);

/** @return  whether two structs have the same value for a row; a CUSTOM row: true */
bool option_equal(const struct option *row, const void *base_a, const void *base_b);

/**
 * Call fn for every row that is not a block, in the order of the tables.
 * @param name  dotted: "authorization.timeout"; borrowed until fn returns
 */
void option_for_each(const struct option_table *tables,
                     void (*fn)(void *arg, const struct option_slot *slot, struct str name),
                     void *arg);

/** Append the value as text that a configuration takes; secrets as "***", a CUSTOM row as
 * nothing. */
void option_print(const struct option_slot *slot, struct buf *out);

/** Leave a list without elements. */
void option_list_clear(struct option_list *list);

/** Append a copy of text to a list. */
void option_list_add(struct option_list *list, struct str text);

/** @return  whether two lists have the same elements in the same order */
bool option_list_equal(const struct option_list *a, const struct option_list *b);

/** Append a list as text that a configuration takes. */
void option_list_print(const struct option_list *list, struct buf *out);
