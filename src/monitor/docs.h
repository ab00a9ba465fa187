/* SPDX-License-Identifier: Apache-2.0 */
/* The list of documents. */
#pragma once

#include <stddef.h>

#include "base/str.h"

struct doc;

/** @return  how many there are. Thread: any (as for all here). */
size_t docs_count(void);

/** @return  the i-th */
const struct doc *docs_at(size_t i);

/** @return  the one with this path, aliases included; NULL: there is none. @param i  out: its
 * number */
const struct doc *docs_find_path(struct str path, size_t *i);

/** @return  the one of this service; NULL: there is none */
const struct doc *docs_find_name(struct str name);
