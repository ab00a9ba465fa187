/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of tracing systems: Jaeger's Uber-Trace-Id, Zipkin's X-B3-… and B3, W3C's traceparent. A
 * message that one of them follows is measured (spec 05 §11). */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/**
 * Does a tracing system follow the message? The first of those above that the block has a header of
 * decides.
 * @param hdr   header block of the message, perhaps empty; one that is not well-formed has none
 * @param json  if it does, an object of the headers that say so is appended: names in canonical
 *              case and sorted, each with an array of values
 * Thread: any.
 */
bool trace_headers_find(struct str hdr, struct buf *json);

/** @return  whether a traceparent header says that the message is followed. Thread: any. */
bool trace_headers_is_sampled(struct str traceparent);
