/* SPDX-License-Identifier: Apache-2.0 */
/* What is served over HTTP on a port: documents (monitor/doc.h), and pages, which are none. Thread:
 * control, for all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

struct http_server;

struct page {
    const char *path; // without the base path
    int status;
    const char *content_type;
    /** Append all of it, and count the visit if it is to be. */
    void (*write)(const struct page *page, struct http_server *s, struct buf *out);
};

struct http_site {
    const struct page *pages;
    size_t n_pages;
    const char *page_fields; // more of the header of its pages: whole lines
    const char *docs_below;  // the documents whose paths begin so are there
};

extern const struct http_site monitoring_site, profiling_site;

/** @return  the page with this path; NULL: there is none */
const struct page *pages_find(const struct http_site *site, struct str path);

/** @return  whether a page has this path with "/" behind it */
bool pages_want_slash(const struct http_site *site, struct str path);
