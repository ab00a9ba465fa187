/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of status codes. */
#include "base/status.h"

#include <string.h>

const char *status_text(enum status st)
{
    switch (st) {
    case ST_OK:
        return "ok";
    case ST_FAILED:
        return "failed";
    case ST_NOT_FOUND:
        return "not found";
    case ST_EXISTS:
        return "exists already";
    case ST_BAD_VALUE:
        return "bad value";
    case ST_OUT_OF_RANGE:
        return "value out of range";
    case ST_EXIT:
        return "exit";
    }
    return strerror(-(int)st); // NOLINT(concurrency-mt-unsafe): it is safe in glibc, from 2.32 on
}
