/* SPDX-License-Identifier: Apache-2.0 */
/* An answer that sends its reader elsewhere. */
#pragma once

#include "base/str.h"

struct http_conn;

/**
 * Answer that what was asked for is at another path of ours.
 * @param path        as it is, not escaped
 * @param parameters  as they came, "" for none
 * Thread: control.
 */
void http_redirect(struct http_conn *h, struct str path, struct str parameters);
