/* SPDX-License-Identifier: Apache-2.0 */
/* Reading back what client_msg.c wrote, for the rare occasions when the owner of a connection must
 * know what another worker has encoded for it. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

struct outq;

/** One encoded message; slices are borrowed from the input. */
struct encoded {
    struct str line; // without CR LF
    struct str sid;  // of its subscription
    struct str hdr;  // empty if it is a MSG
    struct str body; // headers and payload, without the final CR LF
    size_t n;        // [bytes] in all
};

/**
 * Read the first message of `in`, which holds whole messages only.
 * Thread: any.
 */
struct encoded encoded_read(struct str in);

/** @return  all that is queued, in one piece, owned by the caller. Thread: the owner of q. */
struct buf encoded_flatten(struct outq *q);
