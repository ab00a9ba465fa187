/* SPDX-License-Identifier: Apache-2.0 */
/* The client protocol, inbound (spec 01 §2, §3): a pull parser over bytes that are together in
 * memory. It never copies: an operation borrows from the input. An unfinished operation stays with
 * the caller, who presents it again with more bytes behind it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "proto/msg.h"

enum verb {
    VERB_CONNECT,
    VERB_PING,
    VERB_PONG,
    VERB_SUB,
    VERB_UNSUB,
    VERB_PUB,
    VERB_HPUB,
    VERB_OK,
    VERB_ERR,
    VERB_INFO,
    VERB_COUNT
};

/** One operation; all slices are borrowed from the input. Fields that a verb lacks are empty. */
struct op {
    enum verb verb;
    uint32_t max;       // UNSUB: deliveries after which to end; 0: now
    struct str arg;     // CONNECT, INFO: the JSON; -ERR: the text; others: the arguments as sent
    struct str subject; // SUB
    struct str queue;   // SUB
    struct str sid;     // SUB, UNSUB
    struct msg msg; // PUB, HPUB; msg.wire is given if the client wrote the very form in which a MSG
                    // or HMSG ends
};

enum parse_result {
    PARSE_OP,            // an operation was taken off the input
    PARSE_MORE,          // unfinished; see parser.need
    PARSE_UNKNOWN,       // not a verb, or a payload that does not end in CR LF
    PARSE_LINE_TOO_LONG, // arguments beyond max_line_bytes
    PARSE_TOO_BIG,       // announced payload beyond max_payload_bytes
    PARSE_BAD_ARGS,      // a known verb with arguments that make no sense
    PARSE_AUTH_REQUIRED, // connect_only, and the line is not a CONNECT
};

struct parser {
    uint32_t max_line_bytes;   // limit on the arguments of a control line
    int64_t max_payload_bytes; // limit on headers + payload; negative: none
    bool has_headers;          // HPUB is allowed
    bool connect_only;         // authentication is pending: anything but "C…" is refused
    bool is_skipping;          // inside a PING, PONG or +OK whose line has not ended yet
    enum verb skip_verb;
    size_t scanned; // [bytes] of the unfinished line known to hold no LF
    size_t need;    // after PARSE_MORE: [bytes] of the whole operation if known, else 0; after
                    // PARSE_TOO_BIG: [bytes] of the payload announced
};

/**
 * Take the next operation off the input.
 * @param in  in: bytes received; out: what remains. After PARSE_MORE the remaining bytes must be
 *            presented again, at the same or another address, with at least one more behind them.
 * @param op  written on PARSE_OP only, borrowed from the input; but after PARSE_TOO_BIG op->msg has
 *            the subject, and the headers if they have come
 * Thread: any.
 */
MUST_USE enum parse_result parse_next(struct parser *p, struct str *in, struct op *op);
