/* SPDX-License-Identifier: Apache-2.0 */
/* So many times something may be done, by whoever comes first. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** Take one of what is left. @return  false: nothing is. Thread: any. */
static inline bool quota_take(_Atomic int64_t *left)
{
    int64_t n = atomic_load(left);

    while (n > 0) {
        if (atomic_compare_exchange_weak(left, &n, n - 1)) {
            return true;
        }
    }
    return false;
}
