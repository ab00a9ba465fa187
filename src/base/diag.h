/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, for the person who wrote the configuration or the command line: a list of
 * messages, each with the place that it speaks of. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

struct diag_place {
    const char *file; // NULL: no place (the command line, a start-up check)
    uint32_t line;    // from 1
    uint32_t column;
};

struct diag {
    struct buf text; // the messages, one a line, "file:line:col: " before those with a place;
                     // warnings first
    size_t n_warning_bytes; // of text
    uint32_t n_errors;
    uint32_t n_warnings;
};

/** Release the texts. Thread: the owner (as for all functions here). */
void diag_deinit(struct diag *d);

/** Add an error. `at` may be NULL. */
void diag_error(struct diag *d, const struct diag_place *at, const char *format, ...)
    PRINTF_LIKE(3, 4);

/** Add an error without a place; any byte may be in it, NUL as well. */
void diag_error_text(struct diag *d, struct str text);

/** Add a warning: reported, but does not fail by itself. `at` may be NULL. */
void diag_warning(struct diag *d, const struct diag_place *at, const char *format, ...)
    PRINTF_LIKE(3, 4);

/** @return  the first message, without its line end; empty if there is none. Borrowed. */
struct str diag_first(const struct diag *d);
