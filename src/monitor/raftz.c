/* SPDX-License-Identifier: Apache-2.0 */
/* /raftz: the Raft groups of clustered JetStream. There are none yet. */
#include <stddef.h>

#include "base/attr.h"
#include "monitor/doc.h"
#include "monitor/query.h"

struct raftz_options {
    struct str account, group; // empty: the system account, all
};

static void answer(struct query *q)
{
    if (q->is_http) {
        query_fail(q, 404, "No Raft nodes registered");
        return;
    }
    json_open_object(&q->json);
    json_close_object(&q->json);
    query_finish(q);
}

static const struct doc_option options[] = {
    {"acc", "account", DOC_OPTION_STR, offsetof(struct raftz_options, account), 0},
    {"group", "group", DOC_OPTION_STR, offsetof(struct raftz_options, group), 0},
};

extern const struct doc raftz_doc;
const struct doc raftz_doc = {.name = "RAFTZ",
                              .path = "/raftz",
                              .options = options,
                              .n_options = ARRAY_SIZE(options),
                              .options_bytes = sizeof(struct raftz_options),
                              .answer = answer,
                              .indent = 3};
