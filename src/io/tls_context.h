/* SPDX-License-Identifier: Apache-2.0 */
/* What the TLS connections of a listener have in common: certificates, whom to trust, versions and
 * suites. Made from options, then constant and shared by all workers; a reload makes another one,
 * and connections keep theirs. */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/status.h"

struct tls_context;
struct tls_options;

/**
 * Read the files and make a context of them, for the side that is connected to.
 * @param o   borrowed until return
 * @param at  the place that messages speak of; may be NULL
 * @return    ST_FAILED: the reason is in d. Without any certificate there is a context all the
 *            same, with which every handshake fails, as that of the reference does.
 * Thread: control. Blocks: reads files.
 */
MUST_USE enum status tls_context_new(const struct tls_options *o, struct diag *d,
                                     const struct diag_place *at, struct tls_context **out);

/** @return  c, with one more owner. Thread: any. */
struct tls_context *tls_context_ref(struct tls_context *c);

/** @return  [ns] since 1970, when the first of its certificates expires; 0: there is none, or its
 * date is none. Thread: any. */
int64_t tls_context_not_after_ns(const struct tls_context *c);

/** Give up ownership; NULL is allowed. Thread: any. */
void tls_context_unref(struct tls_context *c);
