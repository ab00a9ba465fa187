/* SPDX-License-Identifier: Apache-2.0 */
/* The system remembers it (proc(5)). */
#include "monitor/command_line.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

#define REDACTED "[REDACTED]"

/* @param name  of a flag, without the dashes */
static bool tells_secret(struct str name)
{
    static const char *const secret[] = {"user", "pass", "auth"};

    for (size_t i = 0; i < ARRAY_SIZE(secret); i++) {
        if (str_equal(name, str_of(secret[i]))) {
            return true;
        }
    }
    return false;
}

/* Appends an argument. @return  whether the next one is the value of a flag that tells a secret */
static bool add(struct buf *out, struct str arg)
{
    size_t dashes = str_starts_with(arg, STR("--")) ? 2 : str_starts_with(arg, STR("-"));
    const char *equals = memchr(arg.p, '=', arg.n);
    size_t end = equals ? (size_t)(equals - arg.p) : arg.n;
    bool is_secret = dashes && end >= dashes &&
                     tells_secret((struct str){.p = arg.p + dashes, .n = end - dashes});

    if (is_secret && equals) {
        buf_printf(out, "%.*s=" REDACTED, (int)end, arg.p);
    } else {
        buf_add(out, arg);
    }
    return is_secret && !equals;
}

void command_line_read(struct buf *out)
{
    char *arg = NULL;
    size_t cap = 0;
    bool is_secret = false;
    FILE *f = fopen("/proc/self/cmdline", "re");

    while (f && getdelim(&arg, &cap, '\0', f) > 0) {
        if (is_secret) {
            buf_add(out, STR(REDACTED));
            is_secret = false;
        } else {
            is_secret = add(out, str_of(arg));
        }
        buf_add_char(out, '\0');
    }
    free(arg);
    if (f) {
        (void)fclose(f);
    }
}
