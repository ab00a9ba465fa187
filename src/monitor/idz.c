/* SPDX-License-Identifier: Apache-2.0 */
/* IDZ: who is there? (spec 06 §6.4) */
#include "monitor/doc.h"
#include "monitor/facts.h"
#include "monitor/monitor.h"
#include "monitor/query.h"

static void answer(struct query *q)
{
    const struct monitor_facts *f = q->monitor->facts;

    json_open_object(&q->json);
    json_add_str(&q->json, "name", f->server_name);
    json_add_str(&q->json, "host", f->host);
    json_add_str(&q->json, "id", f->server_id);
    json_close_object(&q->json);
    query_finish(q);
}

extern const struct doc idz_doc;
const struct doc idz_doc = {.name = "IDZ", .answer = answer, .is_bare = true};
