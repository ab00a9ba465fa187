/* SPDX-License-Identifier: Apache-2.0 */
/* /accountz: which accounts there are, or all about one. */
#include <stddef.h>

#include "base/attr.h"
#include "broker/tenancy.h"
#include "monitor/account_detail.h"
#include "monitor/doc.h"
#include "monitor/facts.h"
#include "monitor/monitor.h"
#include "monitor/query.h"

struct accountz_options {
    struct str account; // empty: the list
};

static void write_names(struct json *j, const struct tenancy *t)
{
    json_key(j, "accounts");
    json_open_array(j);
    for (size_t i = 0; i < t->n; i++) {
        json_str(j, t->at[i].name);
    }
    json_close_array(j);
}

static void answer(struct query *q)
{
    const struct monitor *m = q->monitor;
    const struct accountz_options *o = q->options;
    const struct tenant *t = tenancy_find(m->tenancy, o->account);
    struct json *j = &q->json;

    if (o->account.n && !t) {
        query_fail_about(q, 400, "Account ", o->account, " does not exist");
        return;
    }
    query_open_document(q);
    json_opt_str(j, "system_account", m->facts->system_account);
    if (t) {
        json_key(j, "account_detail");
        account_detail_write(j, m, t);
    } else {
        write_names(j, m->tenancy);
    }
    json_close_object(j);
    query_finish(q);
}

static const struct doc_option options[] = {
    {"acc", "account", DOC_OPTION_STR, offsetof(struct accountz_options, account), 0},
};

extern const struct doc accountz_doc;
const struct doc accountz_doc = {.name = "ACCOUNTZ",
                                 .path = "/accountz",
                                 .options = options,
                                 .n_options = ARRAY_SIZE(options),
                                 .options_bytes = sizeof(struct accountz_options),
                                 .answer = answer,
                                 .indent = 2,
                                 .is_counted = true};
