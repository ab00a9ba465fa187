/* SPDX-License-Identifier: Apache-2.0 */
/* The file that tells scripts which process to signal. */
#pragma once

#include "base/attr.h"
#include "base/diag.h"
#include "base/status.h"

/**
 * Write our process id into the file: digits only, mode 0600 when it is new.
 * @param path  NULL or "": nothing to do
 * @return      ST_FAILED: the reason is in d
 * Thread: control.
 */
MUST_USE enum status pid_file_write(const char *path, struct diag *d);

/**
 * Remove the file, unless another process has written its own id into it since.
 * @param path  NULL or "": nothing to do
 * Thread: control.
 */
void pid_file_remove(const char *path);
