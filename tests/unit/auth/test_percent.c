/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that a nats-server 2.15.1 takes as weights and samples, or not. */
#include "auth/percent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_texts(void **state)
{
    static const struct {
        const char *text;
        enum status st;
        int64_t n;
    } rows[] = {
        {"5", ST_OK, 5},
        {"5%", ST_OK, 5},
        {"+5", ST_OK, 5},
        {"-5%", ST_OK, -5},
        {"005", ST_OK, 5},
        {"000000000000000000000007", ST_OK, 7},
        {"999999999999999999", ST_OK, 999999999999999999},
        {"99999999999999999999", ST_OUT_OF_RANGE, 0},
        {"99999999999999999999x", ST_BAD_VALUE, 0},
        {"", ST_BAD_VALUE, 0},
        {"%", ST_BAD_VALUE, 0},
        {"-", ST_BAD_VALUE, 0},
        {"+%", ST_BAD_VALUE, 0},
        {"5%%", ST_BAD_VALUE, 0},
        {"%5", ST_BAD_VALUE, 0},
        {" 5", ST_BAD_VALUE, 0},
        {"5 %", ST_BAD_VALUE, 0},
        {"0x5", ST_BAD_VALUE, 0},
        {"5_0", ST_BAD_VALUE, 0},
        {"5.0", ST_BAD_VALUE, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int64_t n = 0;
        enum status st = percent_parse(percent_strip(str_of(rows[i].text)), &n);

        if (st != rows[i].st || n != rows[i].n) {
            fail_msg("\"%s\": %d, %lld", rows[i].text, st, (long long)n);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
