/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of requests and of links. Thread: the owner of the buffer, for all. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

/**
 * Append a path in its shortest form, as redirects tell it: it begins with a slash, has no empty
 * segment, no "." and no "..". A slash at the end stays.
 */
void http_path_clean(struct str path, struct buf *out);

/** Append a path with everything in %XX that cannot stand in a link as it is. */
void http_path_escape(struct str path, struct buf *out);
