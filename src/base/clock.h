/* SPDX-License-Identifier: Apache-2.0 */
/* Time is int64_t nanoseconds. Two clocks: monotonic for intervals, wall for what people read. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CLOCK_MS_NS INT64_C(1000000)
#define CLOCK_SEC_NS INT64_C(1000000000)

/** @return  [ns] monotonic time. Thread: any. */
int64_t clock_now_ns(void);

/** @return  [ns] since 1970. Thread: any. */
int64_t clock_wall_ns(void);

/** Longest text that clock_format_duration writes, with its NUL. */
#define CLOCK_DURATION_MAX 40

/**
 * Write a duration the way Go's time.Duration prints: "1.5s", "2m0s", "250ms", "0s".
 * @param out  CLOCK_DURATION_MAX bytes
 * Thread: any.
 */
void clock_format_duration(int64_t ns, char *out);

/** Longest text that clock_format_uptime writes, with its NUL. */
#define CLOCK_UPTIME_MAX 40

/**
 * Write how long something lasts as monitoring does: whole seconds, and every unit below the
 * largest: "22s", "4m22s", "32d4h4m22s"; a year has 365 days.
 * @param ns   less than a second, or negative: "0s"
 * @param out  CLOCK_UPTIME_MAX bytes
 * @return     length of the text
 * Thread: any.
 */
size_t clock_format_uptime(int64_t ns, char *out);

/** Longest text that clock_format_rfc3339 writes, with its NUL. */
#define CLOCK_RFC3339_MAX 32

/**
 * Write a point in time the way Go prints it in JSON: "2026-11-21T19:26:32.892974139Z", without
 * zeros at the end of the fraction, and without the fraction if it is 0.
 * @param wall_ns  since 1970
 * @param out      CLOCK_RFC3339_MAX bytes
 * @return         length of the text
 * Thread: any.
 */
size_t clock_format_rfc3339(int64_t wall_ns, char *out);
