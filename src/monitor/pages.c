/* SPDX-License-Identifier: Apache-2.0 */
/* A row for each page of monitoring. */
#include "monitor/pages.h"

#include "base/attr.h"
#include "http/path.h"
#include "monitor/http_server.h"
#include "monitor/monitor.h"
#include "monitor/page.h"

/* The page with the base path in its links. */
static void write_root(const struct page *page, struct http_server *s, struct buf *out)
{
    static const struct str mark = STR_INIT(PAGE_BASE);
    struct str rest = page_source();
    const char *at;

    (void)page;
    while ((at = memmem(rest.p, rest.n, mark.p, mark.n))) {
        size_t n = (size_t)(at - rest.p);

        buf_add(out, (struct str){.p = rest.p, .n = n});
        http_path_escape(s->base, out);
        rest = (struct str){.p = at + mark.n, .n = rest.n - n - mark.n};
    }
    buf_add(out, rest);
    s->monitor->n_root_requests++;
}

static const struct page pages[] = {
    {"/", 200, "text/html; charset=utf-8", write_root},
};

const struct http_site monitoring_site = {
    .pages = pages, .n_pages = ARRAY_SIZE(pages), .page_fields = "", .docs_below = "/"};

const struct page *pages_find(const struct http_site *site, struct str path)
{
    for (size_t i = 0; i < site->n_pages; i++) {
        if (str_equal(path, str_of(site->pages[i].path))) {
            return &site->pages[i];
        }
    }
    return NULL;
}

bool pages_want_slash(const struct http_site *site, struct str path)
{
    bool is_wanted = false;
    struct buf with_slash = {0};

    if (path.n) {
        buf_add(&with_slash, path);
        buf_add_char(&with_slash, '/');
        is_wanted = pages_find(site, buf_str(&with_slash)) != NULL;
        buf_deinit(&with_slash);
    }
    return is_wanted;
}
