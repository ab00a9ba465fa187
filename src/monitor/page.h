/* SPDX-License-Identifier: Apache-2.0 */
/* The page at / of the monitoring port, as it is in the source tree. */
#pragma once

#include "base/str.h"

/** What page.html has where the base path goes: it stands before every path of an endpoint. */
#define PAGE_BASE "{{base}}"

/**
 * The text of page.html: HTML in UTF-8, at most 60 KB, with PAGE_BASE in some places. What goes
 * there is "" or begins with "/"; it becomes part of an attribute without quotes, so anything in it
 * but letters, digits and -._~/ must be escaped with %XX.
 * @return  a slice of the program itself; it is always there.
 * Thread: any.
 */
struct str page_source(void);
