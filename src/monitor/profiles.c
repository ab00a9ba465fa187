/* SPDX-License-Identifier: Apache-2.0 */
/* There are those of memory and of threads. The rest is for tools that look from outside, as
 * perf(1): what is written says so. */
#include "monitor/profiles.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"

void profile_write_memory(struct buf *out)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    if (f) {
        malloc_info(0, f);
        (void)fclose(f);
    }
    buf_add(out, (struct str){.p = text, .n = n});
    free(text);
}

void profile_refuse_cpu(struct buf *out)
{
    buf_printf(out, "no CPU profile is taken from inside: use perf record -g -p %d", (int)getpid());
}

void profile_refuse(struct str name, struct buf *out)
{
    buf_printf(out, "Profile \"%.*s\" has no equivalent here", STR_ARG(name));
}
