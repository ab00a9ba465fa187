/* SPDX-License-Identifier: Apache-2.0 */
/* /stacksz: what the threads are doing. Text, though it is labelled as JSON, as in nats-server. */
#include "monitor/doc.h"
#include "monitor/query.h"
#include "monitor/thread_list.h"

static void answer(struct query *q)
{
    thread_list_write(&q->out);
    query_finish(q);
}

extern const struct doc stacksz_doc;
const struct doc stacksz_doc = {.path = "/stacksz", .answer = answer};
