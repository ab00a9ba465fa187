/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of operating system errors as the tools around nats-server know them: in lower case. */
#pragma once

#include <stdio.h>

#include "base/status.h"

/** An error text by value, so that it can be used as an argument: os_error(errno).text */
struct os_error {
    char text[96];
};

/**
 * @return  the text of the errno value: "no such file or directory"
 * Thread: any.
 */
static inline struct os_error os_error(int err)
{
    struct os_error e;

    snprintf(e.text, sizeof(e.text), "%s", status_text((enum status)(-err)));
    if (e.text[0] >= 'A' && e.text[0] <= 'Z' && !(e.text[1] >= 'A' && e.text[1] <= 'Z')) {
        e.text[0] = (char)(e.text[0] | 0x20);
    }
    return e;
}
