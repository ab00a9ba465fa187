/* SPDX-License-Identifier: Apache-2.0 */
/* The number begins anywhere in the lower half of what its digits hold, so it never wraps. */
#include "base/nuid.h"

#include <sys/random.h>

#include "base/attr.h"
#include "base/base62.h"

#define NUMBER_CHARS (NUID_CHARS - NUID_PREFIX_CHARS)
#define NUMBER_HALF UINT64_C(419649682934170112) // 62 to the power of NUMBER_CHARS, halved

void nuid_init(struct nuid *n)
{
    uint64_t random[2];

    ENSURE(getrandom(random, sizeof(random), 0) == (ssize_t)sizeof(random));
    base62_write(n->text, NUID_PREFIX_CHARS, random[0]);
    n->number = random[1] % NUMBER_HALF;
}

struct str nuid_next(struct nuid *n)
{
    base62_write(n->text + NUID_PREFIX_CHARS, NUMBER_CHARS, ++n->number);
    return (struct str){.p = n->text, .n = NUID_CHARS};
}
