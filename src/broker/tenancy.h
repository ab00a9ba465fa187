/* SPDX-License-Identifier: Apache-2.0 */
/* What the accounts of a server offer each other, and take of it: exports and imports, and the
 * mappings of each (spec 05 §5 to §8). A snapshot made of the configuration and checked as a whole;
 * immutable and counted. Live accounts (broker/account.h) follow one after the other. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "broker/transform.h"

struct mappings;
struct tenant;

enum response_type { RESPONSE_SINGLETON, RESPONSE_STREAM, RESPONSE_CHUNKED };

/** Which requests of a service are measured (spec 05 §11). */
struct latency_rule {
    struct str subject; // where the metrics go; empty: nothing is measured
    uint8_t sampling;   // 1 to 100; 0: only what asks for it in its headers
};

/** What an account offers. Strings live as long as the tenancy, as all strings here do. */
struct export
{
    struct str subject;
    bool is_service;
    bool is_public;             // else only the accounts listed
    const struct str *accounts; // n_accounts of them
    size_t n_accounts;
    uint32_t account_token; // from 1: the token of an importer's subject that must be its name;
                            // 0: none
    /* Of a service: */
    enum response_type response;
    int64_t threshold_ns; // so long a response is waited for
    struct latency_rule latency;
    bool allow_trace;
};

/** What an account takes of another, or of itself. */
struct import {
    const struct tenant *from;
    const struct export *export; // of `from`, that allows it
    struct str subject;          // in the exporting account
    struct str local;            // the pattern of its subjects in this account
    struct str to;               // as configured: what the transforms are made of; empty: `subject`
    struct transform_pair transforms;
    bool is_service;
    bool share;       // SERVICE: tell the exporter who asks
    bool allow_trace; // STREAM
};

/** An account, as far as others are concerned. */
struct tenant {
    struct str name;
    bool is_system; // the system account
    const struct export *exports;
    size_t n_exports;
    const struct import *imports;
    size_t n_imports;
    const struct mappings *mappings; // NULL: none
    struct str trace_dest;           // where traces that a traceparent header asks for go; empty:
                                     // nowhere
    uint8_t trace_sampling;          // [%] of them
};

struct tenancy {
    _Atomic uint32_t refs;
    struct arena arena; // holds all strings and arrays
    struct tenant *at;  // sorted by name; "$G" is among them
    size_t n;
    const struct tenant *system; // the system account; NULL: there is none
};

/** Create an empty one, to be filled; one reference, the caller's. Thread: any. */
struct tenancy *tenancy_new(void);

/** Take one more reference. @return t. Thread: any that holds one (as for all functions here). */
struct tenancy *tenancy_ref(struct tenancy *t);

/** Give a reference back; the last one frees. NULL is allowed. */
void tenancy_unref(struct tenancy *t);

/** @return  the account of that name; NULL: there is none */
const struct tenant *tenancy_find(const struct tenancy *t, struct str name);

/** @return  whether both mean the same to the messages of the importing account, and to whoever
 * asks: subjects, flags, and the terms of the export */
bool import_equal(const struct import *a, const struct import *b);
