/* SPDX-License-Identifier: Apache-2.0 */
/* /ipqueuesz: what waits inside the server. Ours are the inboxes by which workers hand output to
 * each other; they count bytes. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "conn/shard.h"
#include "monitor/doc.h"
#include "monitor/monitor.h"
#include "monitor/query.h"

struct ipqueuesz_options {
    bool all;          // those that are empty, too
    struct str filter; // a part of the name; empty: all
};

static bool is_wanted(const struct ipqueuesz_options *o, const char *name, size_t n_pending)
{
    return (o->all || n_pending) &&
           (!o->filter.n || memmem(name, strlen(name), o->filter.p, o->filter.n));
}

static void answer(struct query *q)
{
    const struct monitor *m = q->monitor;
    struct json *j = &q->json;

    json_open_object(j);
    for (unsigned i = 1; i <= m->n_workers; i++) {
        size_t n = atomic_load_explicit(&m->shards[i]->n_inbox_bytes, memory_order_relaxed);
        char name[40];

        snprintf(name, sizeof(name), "worker-%u inbox bytes", i);
        if (is_wanted(q->options, name, n)) {
            json_key(j, name);
            json_open_object(j);
            json_add_uint(j, "pending", n);
            json_close_object(j);
        }
    }
    json_close_object(j);
    query_finish(q);
}

static const struct doc_option options[] = {
    {"all", "all", DOC_OPTION_BOOL, offsetof(struct ipqueuesz_options, all), 0},
    {"queues", "filter", DOC_OPTION_STR, offsetof(struct ipqueuesz_options, filter), 0},
};

extern const struct doc ipqueuesz_doc;
const struct doc ipqueuesz_doc = {.name = "IPQUEUESZ",
                                  .path = "/ipqueuesz",
                                  .options = options,
                                  .n_options = ARRAY_SIZE(options),
                                  .options_bytes = sizeof(struct ipqueuesz_options),
                                  .answer = answer,
                                  .indent = 3};
