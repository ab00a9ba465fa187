/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a file in tests/vectors, with their escapes undone. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/str.h"

#define VECTORS_MAX_FIELDS 8
#define VECTORS_MAX_LINE 1024

/** Fields lie one behind the other in `bytes`. */
struct vector_row {
    struct str field[VECTORS_MAX_FIELDS];
    unsigned n_fields;
    char bytes[VECTORS_MAX_LINE];
};

/** @return  a file, behind its header; the caller closes it. Thread: any (as for all here). */
FILE *vectors_open(const char *name);

/** Read the next row. @return  false: there is none */
bool vectors_next(FILE *f, struct vector_row *row);
