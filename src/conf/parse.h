/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration language: from text to a tree (spec 03 A). Variables are resolved, included
 * files merged; what the values mean to options is not known here. */
#pragma once

#include "base/attr.h"
#include "base/diag.h"
#include "base/status.h"
#include "base/str.h"
#include "conf/node.h"

/**
 * Read a configuration file and all that it includes.
 * @param path  as the user gave it; it shows in messages
 * @param out   release with conf_tree_deinit, whatever the result
 * @return      ST_FAILED: the reason is in d, in the words of the reference. A file without any
 *              pairs is a warning in d ("<path>: config has no values or is empty").
 * Thread: control. Reads the environment.
 */
MUST_USE enum status conf_parse_file(const char *path, struct conf_tree *out, struct diag *d);

/**
 * Read a text as if it were the content of a file.
 * @param path  for messages and for what it includes
 */
MUST_USE enum status conf_parse_text(const char *path, struct str text, struct conf_tree *out,
                                     struct diag *d);

/** Release a tree. */
void conf_tree_deinit(struct conf_tree *t);

/** Text of a digest with its NUL. */
#define CONF_DIGEST_MAX 72

/**
 * Write "sha256:" and the digest of what a tree says: it does not depend on layout, comments, order
 * or the split into files (spec 03 A17).
 * @param out  CONF_DIGEST_MAX bytes
 */
void conf_digest(const struct node *root, char *out);
