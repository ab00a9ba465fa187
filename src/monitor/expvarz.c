/* SPDX-License-Identifier: Apache-2.0 */
/* /debug/vars: the command line, and memory under the names that Go has for it, as far as C has
 * such a thing. */
#include <malloc.h>

#include "base/process.h"
#include "monitor/command_line.h"
#include "monitor/doc.h"
#include "monitor/query.h"

static void write_command_line(struct json *j)
{
    struct buf line = {0};

    command_line_read(&line);
    json_key(j, "cmdline");
    json_open_array(j);
    for (size_t at = 0; at < line.n; at += strlen(line.p + at) + 1) {
        json_str(j, str_of(line.p + at));
    }
    json_close_array(j);
    buf_deinit(&line);
}

static void write_memory(struct json *j)
{
    struct mallinfo2 m = mallinfo2();
    size_t sys = m.arena + m.hblkhd;
    size_t used = m.uordblks + m.hblkhd;

    json_key(j, "memstats");
    json_open_object(j);
    json_add_uint(j, "Alloc", used);
    json_add_uint(j, "Sys", process_resident_bytes());
    json_add_uint(j, "HeapAlloc", used);
    json_add_uint(j, "HeapSys", sys);
    json_add_uint(j, "HeapIdle", m.fordblks);
    json_add_uint(j, "HeapInuse", used);
    json_add_uint(j, "NumGC", 0);
    json_add_bool(j, "EnableGC", false);
    json_close_object(j);
}

static void answer(struct query *q)
{
    json_open_object(&q->json);
    write_command_line(&q->json);
    write_memory(&q->json);
    json_close_object(&q->json);
    query_finish(q);
}

extern const struct doc expvarz_doc;
const struct doc expvarz_doc = {.name = "EXPVARZ",
                                .path = "/debug/vars",
                                .answer = answer,
                                .content_type = "application/json; charset=utf-8"};
