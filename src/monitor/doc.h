/* SPDX-License-Identifier: Apache-2.0 */
/* A document of monitoring: what a path over HTTP (spec 07 §4) and a request service of the system
 * account (spec 06 §6.4) have in common. One file each, and a row in docs.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct query;

/** How a parameter is written; the field that it fills in brackets. */
enum doc_option_kind {
    DOC_OPTION_BOOL,   // [bool]
    DOC_OPTION_INT,    // [int64_t]
    DOC_OPTION_UINT,   // [uint64_t]
    DOC_OPTION_STR,    // [struct str] that lives as long as the query
    DOC_OPTION_DETAIL, // [enum doc_detail] HTTP: a bool, or "detail"; JSON: a bool, which may raise
                       // it
    DOC_OPTION_STATE,  // [enum doc_state] HTTP: open, closed, any, all; JSON: 0, 1, 2
};

/** How much is told of subscriptions. */
enum doc_detail { DOC_DETAIL_NONE, DOC_DETAIL_NAMES, DOC_DETAIL_ALL };

/** Which connections are told of. */
enum doc_state { DOC_STATE_OPEN, DOC_STATE_CLOSED, DOC_STATE_ALL };

struct doc_option {
    const char *http; // its name in a query string; NULL: not there
    const char *json; // its name in a request; NULL: not there
    enum doc_option_kind kind;
    size_t offset;        // of the field in the options of the document
    unsigned char detail; // DETAIL: what true in JSON raises it to
};

struct doc {
    const char *name; // "VARZ", of the service; NULL: there is none
    const char *path; // "/varz"; NULL: there is none
    const struct doc_option *options;
    size_t n_options, options_bytes;
    /** Answer with what was asked for: at once or later (monitor/query.h). */
    void (*answer)(struct query *q);
    const char *content_type; // over HTTP; NULL: JSON, that pages of any origin may read
    uint8_t indent;           // [spaces] over HTTP; 0: all in one line
    bool is_counted;          // in http_req_stats
    bool counts_if_decoded;   // there, only if its parameters could be read
    bool is_large;            // may come in pieces: few of these at a time over HTTP
    bool is_bare;             // over NATS: no envelope, and no compression
};
