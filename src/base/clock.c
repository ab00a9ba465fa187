/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, and the texts of durations and points in time. */
#include "base/clock.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * CLOCK_SEC_NS + t.tv_nsec;
}

int64_t clock_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

/* Writes value / unit with as many decimals as it has, at most 9, without trailing zeros. */
static size_t format_fraction(char *out, size_t size, uint64_t value, uint64_t unit)
{
    int n = snprintf(out, size, "%" PRIu64, value / unit);
    uint64_t rest = value % unit;

    if (rest) {
        char digits[16];
        int width = 0;

        for (uint64_t u = unit; u > 1; u /= 10) {
            width++;
        }
        int len = snprintf(digits, sizeof(digits), "%0*" PRIu64, width, rest);
        while (len > 0 && digits[len - 1] == '0') {
            digits[--len] = '\0';
        }
        n += snprintf(out + n, size - (size_t)n, ".%s", digits);
    }
    return (size_t)n;
}

void clock_format_duration(int64_t ns, char *out)
{
    size_t n = 0;
    uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

    if (ns < 0) {
        out[n++] = '-';
    }
    if (v == 0) {
        memcpy(out, "0s", 3);
        return;
    }
    if (v < (uint64_t)CLOCK_SEC_NS) {
        uint64_t unit = v < 1000 ? 1 : v < 1000000 ? 1000 : 1000000;
        const char *name = v < 1000 ? "ns" : v < 1000000 ? "µs" : "ms";

        n += format_fraction(out + n, CLOCK_DURATION_MAX - n, v, unit);
        snprintf(out + n, CLOCK_DURATION_MAX - n, "%s", name);
        return;
    }
    uint64_t minutes = v / (60 * (uint64_t)CLOCK_SEC_NS);
    if (minutes >= 60) {
        n += (size_t)snprintf(out + n, CLOCK_DURATION_MAX - n, "%" PRIu64 "h", minutes / 60);
    }
    if (minutes) {
        n += (size_t)snprintf(out + n, CLOCK_DURATION_MAX - n, "%" PRIu64 "m", minutes % 60);
    }
    n += format_fraction(out + n, CLOCK_DURATION_MAX - n, v % (60 * (uint64_t)CLOCK_SEC_NS),
                         (uint64_t)CLOCK_SEC_NS);
    snprintf(out + n, CLOCK_DURATION_MAX - n, "s");
}

size_t clock_format_uptime(int64_t ns, char *out)
{
    static const struct {
        int64_t seconds;
        char name;
    } units[] = {{365 * 86400, 'y'}, {86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};

    int64_t rest = ns > 0 ? ns / CLOCK_SEC_NS : 0;
    size_t n = 0;

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        int64_t count = rest / units[i].seconds;

        rest %= units[i].seconds;
        if (n || count || units[i].seconds == 1) {
            n += (size_t)snprintf(out + n, CLOCK_UPTIME_MAX - n, "%" PRId64 "%c", count,
                                  units[i].name);
        }
    }
    return n;
}

size_t clock_format_rfc3339(int64_t wall_ns, char *out)
{
    time_t seconds = (time_t)(wall_ns / CLOCK_SEC_NS);
    int64_t fraction = wall_ns % CLOCK_SEC_NS;
    struct tm tm;

    if (fraction < 0) {
        fraction += CLOCK_SEC_NS;
        seconds--;
    }
    gmtime_r(&seconds, &tm);
    size_t n = strftime(out, CLOCK_RFC3339_MAX, "%Y-%m-%dT%H:%M:%S", &tm);

    if (fraction) {
        n += (size_t)snprintf(out + n, CLOCK_RFC3339_MAX - n, ".%09" PRId64, fraction);
        while (out[n - 1] == '0') {
            n--;
        }
    }
    memcpy(out + n, "Z", 2);
    return n + 1;
}
