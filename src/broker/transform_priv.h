/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms from the inside: how a token of a destination reads (transform_call.c), the steps that
 * it becomes (transform.c), and what these do (transform_apply.c). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/** What stands in the place of a token. */
enum transform_kind {
    TRANSFORM_TEXT,
    TRANSFORM_REST, // what ">" of the source matches
    TRANSFORM_RANDOM,
    TRANSFORM_PARTITION,
    /* What a wildcard matches, or something made of it: */
    TRANSFORM_WILDCARD,
    TRANSFORM_SPLIT_FROM_LEFT,
    TRANSFORM_SPLIT_FROM_RIGHT,
    TRANSFORM_SLICE_FROM_LEFT,
    TRANSFORM_SLICE_FROM_RIGHT,
    TRANSFORM_LEFT,
    TRANSFORM_RIGHT,
    TRANSFORM_SPLIT,
};

/** A token of a destination; its arguments are not looked at yet. */
struct transform_call {
    enum transform_kind kind;
    struct str args; // between the brackets, or behind "$"
};

/** The arguments of a call; which of them there are, its kind tells. */
struct transform_args {
    int64_t index; // of the wildcard, from 1; 0 and below: the first token of the subject
    int64_t n;     // position, size, how many
    struct str delimiter;
    struct str indices; // of a partition: "1,2", all numbers; p is NULL: none
};

/**
 * Find out what a token of a destination is. "*" is text here.
 * @return  false: it calls a function that does not exist
 * Thread: any (as for all functions here).
 */
bool transform_read_token(struct str token, struct transform_call *out);

/** Read the arguments of a call, which is not text. @return  what is wrong; NULL: nothing. */
const char *transform_read_args(struct transform_call call, struct transform_args *out);

/** Take the next of some numbers off them, which were looked at by transform_read_args. */
int64_t transform_next_index(struct str *indices);

/** Say that something is wrong with a token of a destination. @return  ST_BAD_VALUE */
enum status transform_refuse(struct buf *why, const char *what, struct str token);

/** Say that a token asks for a wildcard that the source has not. @return  ST_BAD_VALUE */
enum status transform_refuse_index(struct buf *why, struct str token, int64_t index);

/** @return  whether s has blanks, which end a subject. */
bool transform_has_blanks(struct str s);

/** What is appended to the result. */
struct transform_step {
    enum transform_kind kind;
    uint32_t token;       // of the subject, from 0
    uint32_t n;           // [bytes] where to cut, how long a slice; partition, random: how many
    struct str text;      // that of TRANSFORM_TEXT; the delimiter of a split
    const uint32_t *keys; // n_keys tokens that choose the partition, owned
    uint32_t n_keys;
    bool is_whole; // the whole subject chooses it
};

struct transform {
    char *dest;                   // holds the text of the steps
    struct str original;          // what it is a copy of; borrowed while steps are added
    struct transform_step *steps; // n_steps of them
    size_t n_steps;
};

/**
 * @param index  from 1
 * @return       which token of a source is that "*"; 0 if there is none
 */
uint32_t transform_find_star(struct str source, int64_t index);

/** @return  a transform without steps, owned by the caller; `dest` will be copied. */
struct transform *transform_start(struct str dest);

/** Append text: a part of what the transform was started with. */
void transform_add_text(struct transform *t, struct str text);

/** Append a token of the subject, and all that follow if kind is TRANSFORM_REST.
 * @param token  from 0 */
void transform_add_token(struct transform *t, enum transform_kind kind, uint32_t token);
