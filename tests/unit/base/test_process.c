/* SPDX-License-Identifier: Apache-2.0 */
/* Memory and processor time grow as they are used. */
#include "base/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"

#define MORE_BYTES (64u << 20)

static void test_cpu(void **state)
{
    int64_t before = process_cpu_ns();

    (void)state;
    assert_true(before > 0);
    while (process_cpu_ns() < before + 20 * CLOCK_MS_NS) {
    }
}

static void test_resident(void **state)
{
    uint64_t before = process_resident_bytes();
    char *more = mem_alloc(MORE_BYTES);

    (void)state;
    assert_true(before > 0);
    memset(more, 1, MORE_BYTES);
    assert_true(process_resident_bytes() >= before + MORE_BYTES / 2);
    mem_free(more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu),
        cmocka_unit_test(test_resident),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
