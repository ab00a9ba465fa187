/* SPDX-License-Identifier: Apache-2.0 */
/* Some headers of a block, and how a list of them looks as JSON: {"Name":["value", …], …}. */
#pragma once

#include <stddef.h>

#include "base/json.h"
#include "base/str.h"
#include "proto/header.h"

/** Zero is empty. The headers are borrowed from their block. */
struct header_list {
    struct header *at;
    size_t n, cap;
};

/** @return  a character of a name, as it is to be written and compared. */
typedef char (*header_letter_fn)(struct str name, size_t i);

/** Add a header of the same block, behind the others. Thread: the owner (as for all here). */
void header_list_add(struct header_list *l, struct header h);

/**
 * Write an object, sorted by name, with all values of a name in the order of the block.
 * @param letter  names are the same if these are
 */
void header_list_write(struct header_list *l, header_letter_fn letter, struct json *j);

/** Release the memory. */
void header_list_deinit(struct header_list *l);

/** The letters of names as they are. */
char header_letter(struct str name, size_t i);

/** The letters of names in canonical case: a capital at the beginning and after "-". */
char header_letter_canonical(struct str name, size_t i);
