/* SPDX-License-Identifier: Apache-2.0 */
/* A message on its way: slices of the publisher's bytes, on the stack of whoever publishes. */
#pragma once

#include <stdint.h>

#include "base/str.h"

struct msg_origin;

struct msg {
    struct str subject;
    struct str reply; // empty: none
    struct str hdr;   // header block, empty: none
    struct str payload;
    struct str wire; // as it ends on the wire: "[reply ][hdr_n ]n\r\n[hdr]payload\r\n"; empty: not
                     // known, made on demand
    struct str wire_bare;            // the same without headers; empty: made on demand
    const struct msg_origin *origin; // where it comes from (broker/msg_origin.h)
};
