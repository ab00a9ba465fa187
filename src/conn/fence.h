/* SPDX-License-Identifier: Apache-2.0 */
/* A fence: a connection waits until everything that other workers have encoded for it so far has
 * come. What those workers were told by atomics or by the index before the fence was put up, they
 * go by from then on. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

struct conn;

/**
 * Suspend c; when the fence is passed, its on_fenced is called and it is read on. Not for one that
 * is suspended already.
 * @return  false: there is no other worker, and nothing happens
 * Thread: the worker.  Blocks: no.
 */
MUST_USE bool fence_start(struct conn *c);
