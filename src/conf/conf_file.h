/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a configuration: where an included one lies, and what is in them. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

/* Thread, for all functions: control. */

/**
 * Find an included file: it is always looked for in the folder of the one that includes it, even if
 * it is written as an absolute path (spec 03 A12).
 * @return  a path without "." and, where it can be, without ".."; lives as long as the arena
 */
const char *conf_file_resolve(struct arena *a, const char *includer, struct str written);

/** Which file a path led to, whatever the path was. */
struct conf_file_id {
    uint64_t device;
    uint64_t inode;
};

/**
 * Read a file.
 * @param out  its content is appended
 * @param why  the reason for a failure is appended: "open x.conf: no such file or directory"
 */
MUST_USE enum status conf_file_read(const char *path, struct buf *out, struct conf_file_id *id,
                                    struct buf *why);
