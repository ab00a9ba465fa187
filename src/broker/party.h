/* SPDX-License-Identifier: Apache-2.0 */
/* One party of a request: who asks, or who answers, as the other side and metrics are told of it
 * (spec 05 §10). */
#pragma once

#include <stdint.h>

#include "base/json.h"
#include "base/str.h"

/** Fields that are empty, or 0, are not told. Strings are borrowed. */
struct party {
    int64_t start_ns; // when it connected, since 1970
    struct str host;
    uint64_t id; // of the connection
    struct str account;
    struct str service; // the account that it asks by way of
    struct str user, name, lang, version;
    int64_t rtt_ns;
    struct str server, cluster;
    int64_t stop_ns;     // when it was closed, since 1970
    struct str name_tag; // of the account
    struct str kind, client_type;
};

/** Write a party as an object, keys in the order of spec 05 §10. Thread: any. */
void party_write(const struct party *p, struct json *j);

/** Whoever publishes: a client, later a leaf node, a route. Embedded in it. */
struct speaker {
    const struct speaker_ops *ops;
};

struct speaker_ops {
    const char *kind;    // "Client"
    unsigned trace_kind; // the same in traces: 0 a client, 1 a route, 4 a leaf node
    /** Tell all about it but the account's name. Strings are borrowed as long as nothing is run
     * but the present message. Thread: that of the speaker. */
    void (*tell)(const struct speaker *s, struct party *out);
    /** What it may do; NULL: all. Borrowed likewise. Thread: likewise. */
    const struct perms *(*perms)(const struct speaker *s);
};
