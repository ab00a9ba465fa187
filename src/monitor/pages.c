/* SPDX-License-Identifier: Apache-2.0 */
/* A row for each page. */
#include "monitor/pages.h"

#include "base/attr.h"
#include "http/path.h"
#include "monitor/http_server.h"
#include "monitor/monitor.h"
#include "monitor/page.h"

/* The page with the base path in its links. */
static void write_root(struct http_server *s, struct buf *out)
{
    static const struct str mark = STR_INIT(PAGE_BASE);
    struct str rest = page_source();
    const char *at;

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
    {"/", "text/html; charset=utf-8", write_root},
};

const struct page *pages_find(struct str path)
{
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
        if (str_equal(path, str_of(pages[i].path))) {
            return &pages[i];
        }
    }
    return NULL;
}
