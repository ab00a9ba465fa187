/* SPDX-License-Identifier: Apache-2.0 */
/* Input: what a connection begins with. However it is cut, the same header is found in it, as soon
 * as it can be told. */
#include "proto/proxy.h"

#include <string.h>

#include "base/attr.h"
#include "fuzz.h"

/** What proxy_parse says. */
struct answer {
    enum proxy_result result;
    struct proxy_header header;
    char why[PROXY_WHY_MAX];
};

static struct answer ask(struct str in)
{
    struct answer a = {0};

    a.result = proxy_parse(in, &a.header, a.why);
    ENSURE(memchr(a.why, '\0', sizeof(a.why)));
    ENSURE((a.result == PROXY_BAD) == (a.why[0] != '\0'));
    if (a.result == PROXY_OK) {
        ENSURE(a.header.n && a.header.n <= in.n);
        ENSURE(a.header.family == 0 || a.header.family == 4 || a.header.family == 6);
    } else if (a.result == PROXY_MORE) {
        ENSURE(!a.header.n || a.header.n > in.n);
    }
    return a;
}

static bool are_same(const struct answer *a, const struct answer *b)
{
    const struct proxy_header *ha = &a->header;
    const struct proxy_header *hb = &b->header;

    if (a->result != b->result) {
        return false;
    }
    if (a->result == PROXY_BAD) {
        return strcmp(a->why, b->why) == 0;
    }
    return a->result != PROXY_OK ||
           (ha->n == hb->n && ha->family == hb->family &&
            (!ha->family || (ha->port == hb->port && memcmp(ha->ip, hb->ip, sizeof(ha->ip)) == 0)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str in = {.p = (const char *)data, .n = n};
    struct answer first = {.result = PROXY_MORE};

    for (size_t k = 1; k <= n; k++) {
        struct answer a = ask((struct str){.p = in.p, .n = k});

        ENSURE(first.result == PROXY_MORE || are_same(&first, &a));
        first = a;
    }
    return 0;
}
