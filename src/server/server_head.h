/* SPDX-License-Identifier: Apache-2.0 */
/* The part of what events say of this server that only a reload changes (spec 06 §4). */
#pragma once

#include "base/buf.h"
#include "server/server_options.h"

/**
 * Write the members, from "name" to "flags", as JSON.
 * @param name, id, version  of the server
 * @return  in one piece of memory, owned by the caller, release with mem_free
 * Thread: control.
 */
struct str *server_head_new(const struct server_options *o, const char *name, const char *id,
                            const char *version);

/* Parts of it, as JSON values; nothing if there is nothing to tell. Thread: control. */

/** Append the tags, an array. */
void server_head_write_tags(const struct option_list *tags, struct buf *out);

/** Append the metadata, an object. */
void server_head_write_metadata(const struct metadata *m, struct buf *out);

/** Append the feature flags, an object. */
void server_head_write_features(const struct feature_flags *f, struct buf *out);
