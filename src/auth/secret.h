/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords and tokens: is what a client gives the secret that is configured? */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/**
 * Compare. The time taken tells nothing about how much was right.
 * @param wanted  as configured: the secret itself, or a bcrypt hash of it
 * Thread: any.  A bcrypt hash takes long by design, from 0.1 s: not for a worker.
 */
bool secret_is(struct str given, const char *wanted);

/** @return  whether the configured text is a bcrypt hash rather than the secret (spec 04 §3).
 * Thread: any. */
bool secret_is_bcrypt(const char *wanted);
