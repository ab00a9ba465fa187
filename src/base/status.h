/* SPDX-License-Identifier: Apache-2.0 */
/* The result of everything that can fail. */
#pragma once

#include "base/attr.h" // IWYU pragma: export (who returns a status says MUST_USE)

/** 0 is success; a negative errno is the operating system's; own codes lie below -1000. */
enum status {
    ST_OK = 0,
    ST_FAILED = -1001,    // details are in the struct diag, or were logged
    ST_NOT_FOUND = -1002, // there is no such thing
    ST_EXISTS = -1003,    // it is there already
    ST_BAD_VALUE = -1004, // text that does not parse as what it should be
    ST_OUT_OF_RANGE = -1005,
    ST_EXIT = -1006, // nothing went wrong, but the process is to end now, exit code 0
};

/**
 * @return  a short text for people, static.
 * Thread: any.
 */
const char *status_text(enum status st);
