/* SPDX-License-Identifier: Apache-2.0 */
/* What is served over HTTP and is no document (monitor/doc.h). Thread: control, for all. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

struct http_server;

struct page {
    const char *path; // without the base path
    const char *content_type;
    /** Append all of it, and count the visit if it is to be. */
    void (*write)(struct http_server *s, struct buf *out);
};

/** @return  the page with this path; NULL: there is none */
const struct page *pages_find(struct str path);
