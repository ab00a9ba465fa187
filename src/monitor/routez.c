/* SPDX-License-Identifier: Apache-2.0 */
/* /routez: connections to other servers of the cluster. There are none yet. */
#include <stddef.h>

#include "base/attr.h"
#include "base/clock.h"
#include "monitor/doc.h"
#include "monitor/facts.h"
#include "monitor/monitor.h"
#include "monitor/query.h"

struct routez_options {
    enum doc_detail subs;
};

static void answer(struct query *q)
{
    const struct monitor_facts *f = q->monitor->facts;
    struct json *j = &q->json;

    json_open_object(j);
    json_add_str(j, "server_id", f->server_id);
    json_add_str(j, "server_name", f->server_name);
    json_add_time(j, "now", clock_wall_ns());
    json_add_int(j, "num_routes", 0);
    json_key(j, "routes");
    json_open_array(j);
    json_close_array(j);
    json_close_object(j);
    query_finish(q);
}

static const struct doc_option options[] = {
    {"subs", "subscriptions", DOC_OPTION_DETAIL, offsetof(struct routez_options, subs),
     DOC_DETAIL_NAMES},
    {NULL, "subscriptions_detail", DOC_OPTION_DETAIL, offsetof(struct routez_options, subs),
     DOC_DETAIL_ALL},
};

extern const struct doc routez_doc;
const struct doc routez_doc = {.name = "ROUTEZ",
                               .path = "/routez",
                               .options = options,
                               .n_options = ARRAY_SIZE(options),
                               .options_bytes = sizeof(struct routez_options),
                               .answer = answer,
                               .indent = 2,
                               .is_counted = true,
                               .counts_if_decoded = true};
