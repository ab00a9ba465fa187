/* SPDX-License-Identifier: Apache-2.0 */
/* /gatewayz: connections to other clusters. There are none yet. */
#include <stddef.h>

#include "base/attr.h"
#include "monitor/doc.h"
#include "monitor/query.h"

struct gatewayz_options {
    struct str gateway, account; // empty: all
    bool with_accounts;
    enum doc_detail subs;
};

static void write_none(struct json *j, const char *key)
{
    json_key(j, key);
    json_open_object(j);
    json_close_object(j);
}

static void answer(struct query *q)
{
    struct json *j = &q->json;

    query_open_document(q);
    write_none(j, "outbound_gateways");
    write_none(j, "inbound_gateways");
    json_close_object(j);
    query_finish(q);
}

static const struct doc_option options[] = {
    {"gw_name", "name", DOC_OPTION_STR, offsetof(struct gatewayz_options, gateway), 0},
    {"acc_name", "account_name", DOC_OPTION_STR, offsetof(struct gatewayz_options, account), 0},
    {"subs", "subscriptions", DOC_OPTION_DETAIL, offsetof(struct gatewayz_options, subs),
     DOC_DETAIL_NAMES},
    {NULL, "subscriptions_detail", DOC_OPTION_DETAIL, offsetof(struct gatewayz_options, subs),
     DOC_DETAIL_ALL},
    {"accs", "accounts", DOC_OPTION_BOOL, offsetof(struct gatewayz_options, with_accounts), 0},
};

extern const struct doc gatewayz_doc;
const struct doc gatewayz_doc = {.name = "GATEWAYZ",
                                 .path = "/gatewayz",
                                 .options = options,
                                 .n_options = ARRAY_SIZE(options),
                                 .options_bytes = sizeof(struct gatewayz_options),
                                 .answer = answer,
                                 .indent = 2,
                                 .is_counted = true};
