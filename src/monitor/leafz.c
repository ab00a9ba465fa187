/* SPDX-License-Identifier: Apache-2.0 */
/* /leafz: connections of leaf nodes. There are none yet. */
#include <stddef.h>

#include "base/attr.h"
#include "monitor/doc.h"
#include "monitor/query.h"

struct leafz_options {
    struct str account; // empty: all
    bool with_subs;
};

static void answer(struct query *q)
{
    struct json *j = &q->json;

    query_open_document(q);
    json_add_int(j, "leafnodes", 0);
    json_key(j, "leafs");
    json_open_array(j);
    json_close_array(j);
    json_close_object(j);
    query_finish(q);
}

static const struct doc_option options[] = {
    {"subs", "subscriptions", DOC_OPTION_BOOL, offsetof(struct leafz_options, with_subs), 0},
    {"acc", "account", DOC_OPTION_STR, offsetof(struct leafz_options, account), 0},
};

extern const struct doc leafz_doc;
const struct doc leafz_doc = {.name = "LEAFZ",
                              .path = "/leafz",
                              .options = options,
                              .n_options = ARRAY_SIZE(options),
                              .options_bytes = sizeof(struct leafz_options),
                              .answer = answer,
                              .indent = 2,
                              .is_counted = true};
