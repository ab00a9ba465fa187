/* SPDX-License-Identifier: Apache-2.0 */
/* /accstatz: what passes through the accounts. */
#include <stddef.h>

#include "base/attr.h"
#include "broker/account.h"
#include "broker/accounts.h"
#include "broker/tenancy.h"
#include "monitor/account_stats.h"
#include "monitor/doc.h"
#include "monitor/monitor.h"
#include "monitor/query.h"

struct accstatz_options {
    bool with_idle;
};

static void answer(struct query *q)
{
    const struct monitor *m = q->monitor;
    const struct accstatz_options *o = q->options;
    struct json *j = &q->json;

    query_open_document(q);
    json_key(j, "account_statz");
    json_open_array(j);
    for (size_t i = 0; i < m->tenancy->n; i++) {
        const struct account *a = accounts_find(m->accounts, m->tenancy->at[i].name);

        if (a && (o->with_idle || !account_stats_is_idle(a))) {
            json_open_object(j);
            account_stats_write(j, a, atomic_load(&a->n_clients));
            json_close_object(j);
        }
    }
    json_close_array(j);
    json_close_object(j);
    query_finish(q);
}

static const struct doc_option options[] = {
    {"unused", NULL, DOC_OPTION_BOOL, offsetof(struct accstatz_options, with_idle), 0},
};

extern const struct doc accstatz_doc;
const struct doc accstatz_doc = {.path = "/accstatz",
                                 .options = options,
                                 .n_options = ARRAY_SIZE(options),
                                 .options_bytes = sizeof(struct accstatz_options),
                                 .answer = answer,
                                 .indent = 2,
                                 .is_counted = true};
