/* SPDX-License-Identifier: Apache-2.0 */
/* The text that Prometheus reads: OpenMetrics 1.0. Metrics come in families; whoever writes them
 * begins a family and adds its samples before the next. Thread: the owner of the buffer, for all.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct histogram_sum;

struct metrics_text {
    struct buf *out;      // borrowed
    struct str server_id; // the first label of every sample
};

struct metrics_label {
    const char *name;
    struct str value;
};

/**
 * Begin a family.
 * @param name  as all its samples have it: [a-z0-9_]
 * @param type  "gauge", "histogram"
 * @param help  what it tells, in plain ASCII; NULL: nothing is said
 */
void metrics_begin(const struct metrics_text *t, const char *name, const char *type,
                   const char *help);

/** Add a sample. @param label  besides the server's; name NULL: the last one before */
void metrics_add(const struct metrics_text *t, const char *name, const struct metrics_label *labels,
                 uint64_t value);

/** A family of one sample without labels of its own. */
void metrics_gauge(const struct metrics_text *t, const char *name, uint64_t value);

/** A family of one sample that says something in its label "value". */
void metrics_info(const struct metrics_text *t, const char *name, struct str value);

/**
 * Add the samples of a histogram.
 * @param label  besides the server's; NULL: none
 * @param unit   what values of 1 stand for: 1e-6 if they are microseconds and the metric is in
 *               seconds
 */
void metrics_histogram(const struct metrics_text *t, const char *name,
                       const struct metrics_label *label, const struct histogram_sum *h,
                       double unit);

/**
 * A gauge for every number in a JSON object, named as prometheus-nats-exporter does: by its path,
 * "nats_varz_slow_consumer_stats_clients".
 * @param prefix  of the names: "nats_varz"
 */
void metrics_flatten(const struct metrics_text *t, const char *prefix, struct str json);

/** That was all. */
void metrics_end(const struct metrics_text *t);
