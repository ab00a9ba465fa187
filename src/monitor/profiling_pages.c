/* SPDX-License-Identifier: Apache-2.0 */
/* The port for profiling: the paths of Go's net/http/pprof, with what there is of it in C. */
#include <unistd.h>

#include "base/attr.h"
#include "monitor/command_line.h"
#include "monitor/pages.h"
#include "monitor/profiles.h"
#include "monitor/thread_list.h"

#define BELOW "/debug/pprof/"

static const char html[] = "text/html; charset=utf-8";
static const char text[] = "text/plain; charset=utf-8";

static const char index_source[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head><meta charset=\"utf-8\"><title>" BELOW "</title></head>\n"
    "<body>\n"
    "<h1>" BELOW "</h1>\n"
    "<ul>\n"
    "<li><a href=\"heap\">heap</a>, <a href=\"allocs\">allocs</a>: memory, as malloc tells of it\n"
    "<li><a href=\"threadcreate\">threadcreate</a>: the threads\n"
    "<li><a href=\"cmdline\">cmdline</a>: the arguments of the server\n"
    "<li><a href=\"/debug/vars\">/debug/vars</a>: arguments and memory, as JSON\n"
    "</ul>\n"
    "<p>CPU: <code>perf record -g -p %d</code></p>\n"
    "</body>\n"
    "</html>\n";

static void write_index(const struct page *page, struct http_server *s, struct buf *out)
{
    (void)page;
    (void)s;
    buf_printf(out, index_source, (int)getpid());
}

static void write_memory(const struct page *page, struct http_server *s, struct buf *out)
{
    (void)page;
    (void)s;
    profile_write_memory(out);
}

static void write_threads(const struct page *page, struct http_server *s, struct buf *out)
{
    (void)page;
    (void)s;
    thread_list_write(out);
}

static void write_command_line(const struct page *page, struct http_server *s, struct buf *out)
{
    (void)page;
    (void)s;
    command_line_read(out);
    out->n -= out->n > 0; // zero bytes are between arguments, not behind them
}

static void refuse_cpu(const struct page *page, struct http_server *s, struct buf *out)
{
    (void)page;
    (void)s;
    profile_refuse_cpu(out);
    buf_add_char(out, '\n');
}

static void refuse(const struct page *page, struct http_server *s, struct buf *out)
{
    (void)s;
    profile_refuse(str_of(page->path + sizeof(BELOW) - 1), out);
    buf_add_char(out, '\n');
}

static const struct page pages[] = {
    {BELOW, 200, html, write_index},
    {BELOW "allocs", 200, text, write_memory},
    {BELOW "block", 501, text, refuse},
    {BELOW "cmdline", 200, text, write_command_line},
    {BELOW "goroutine", 501, text, refuse},
    {BELOW "goroutineleak", 501, text, refuse},
    {BELOW "heap", 200, text, write_memory},
    {BELOW "mutex", 501, text, refuse},
    {BELOW "profile", 501, text, refuse_cpu},
    {BELOW "symbol", 501, text, refuse},
    {BELOW "threadcreate", 200, text, write_threads},
    {BELOW "trace", 501, text, refuse},
};

const struct http_site profiling_site = {.pages = pages,
                                         .n_pages = ARRAY_SIZE(pages),
                                         .page_fields = "X-Content-Type-Options: nosniff\r\n",
                                         .docs_below = "/debug/"};
