/* SPDX-License-Identifier: Apache-2.0 */
/* The header first, which costs a look at each line; what the account says only without it. */
#include "broker/trace_wish.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "broker/account.h"
#include "broker/links.h"
#include "broker/tenancy.h"
#include "broker/trace.h"
#include "broker/trace_headers.h"
#include "proto/header.h"

/* Does any traceparent, whatever the case of its name, say that the message is followed? */
static bool is_followed(struct str hdr)
{
    struct header_walk w = header_walk(hdr);

    for (struct header h; header_next(&w, &h);) {
        if (str_equal_nocase(h.name, STR("traceparent")) && trace_headers_is_sampled(h.value)) {
            return true;
        }
    }
    return false;
}

/* @return  the account, if it has traces of its own; NULL: it has not */
static const struct tenant *find_tracing(const struct account *a)
{
    const struct links *links = atomic_load_explicit(&a->links, memory_order_acquire);

    return links && links->tenant && links->tenant->trace_dest.n ? links->tenant : NULL;
}

/* N of 100 gives (N + 1) %: so does the Go server. */
static bool is_drawn(const struct tenant *t, uint32_t random)
{
    return t->trace_sampling >= 100 || random % 100 <= t->trace_sampling;
}

enum trace_wish trace_wish(struct str hdr, const struct account *a, uint32_t random,
                           struct str *dest)
{
    const struct tenant *t = NULL;

    *dest = header_find(hdr, STR("Nats-Trace-Dest"));
    if (dest->n == 0) {
        t = find_tracing(a);
        if (!t || !is_followed(hdr)) {
            return TRACE_WISH_NONE;
        }
        *dest = t->trace_dest;
    }
    if (str_equal(*dest, TRACE_DISABLED)) {
        return TRACE_WISH_NONE;
    }
    if (header_find(hdr, STR(TRACE_WISH_ORIGIN)).n) {
        return TRACE_WISH_FORBIDDEN;
    }
    return t && !is_drawn(t, random) ? TRACE_WISH_NOT_DRAWN : TRACE_WISH_YES;
}
