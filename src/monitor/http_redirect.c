/* SPDX-License-Identifier: Apache-2.0 */
/* The path may be anything that somebody sent: it is escaped, in the header and in the text. */
#include "monitor/http_redirect.h"

#include "base/buf.h"
#include "http/path.h"
#include "http/reply.h"
#include "monitor/http_conn.h"

static void add_html(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '&':
            buf_add(out, STR("&amp;"));
            break;
        case '<':
            buf_add(out, STR("&lt;"));
            break;
        case '>':
            buf_add(out, STR("&gt;"));
            break;
        case '"':
            buf_add(out, STR("&#34;"));
            break;
        default:
            buf_add_char(out, text.p[i]);
        }
    }
}

void http_redirect(struct http_conn *h, struct str path, struct str parameters)
{
    struct buf to = {0};
    struct buf body = {0};
    struct buf field = {0};

    http_path_escape(path, &to);
    if (parameters.n) {
        buf_printf(&to, "?%.*s", STR_ARG(parameters));
    }
    buf_printf(&field, "Location: %.*s\r\n", STR_ARG(buf_str(&to)));
    buf_add(&body, STR("<a href=\""));
    add_html(&body, buf_str(&to));
    buf_add(&body, STR("\">Moved Permanently</a>.\n\n"));
    http_conn_reply(h,
                    (struct http_reply){.status = http_status(301),
                                        .content_type = "text/html; charset=utf-8",
                                        .fields = buf_str(&field)},
                    buf_str(&body));
    buf_deinit(&to);
    buf_deinit(&body);
    buf_deinit(&field);
    http_conn_answered(h);
}
