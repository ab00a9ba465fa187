/* SPDX-License-Identifier: Apache-2.0 */
/* Services across accounts (spec 05 §8): an import of a service is a subscription of the server in
 * the importing account. A request that reaches it goes on in the exporting account, with a reply
 * subject of the server's own that brings the response back (broker/responses.h). */
#pragma once

#include "broker/latency.h"
#include "broker/sub.h"
#include "broker/tenancy.h"

struct account;
struct delivery;
struct party;

/** An import of a service in force, before its subscription. */
struct service_import {
    struct tenancy *tenancy; // a reference; `import` is part of it. Thread: control
    _Atomic(const struct import *) import;
    struct account *importer;
    struct account *exporter;
};

/**
 * Make the subscription of an import.
 * @param tenancy  that the import is part of; a reference is taken
 * @return         it has one reference, the caller's, and is not in the index yet
 * Thread: any.
 */
struct sub *service_import_new(struct tenancy *tenancy, const struct import *import,
                               struct account *from, struct account *to);

/** The import is part of another tenancy now, in which it means the same; the one before must be
 * kept until all workers have settled. Thread: control. */
void service_import_follow(struct service_import *s, struct tenancy *tenancy,
                           const struct import *import);

/** Publish how a request that was measured ended, where the export wants it. @param responder  as
 * for latency_report. Thread: a worker. */
void service_import_report(const struct service_import *s, struct delivery *d,
                           const struct latency_probe *probe, enum latency_status status,
                           const struct party *responder);

/** @return  the import of a subscription made by service_import_new. Thread: any. */
static inline struct service_import *service_import_of(const struct sub *s)
{
    return sub_record(s, sizeof(struct service_import));
}

/** @return  the subscription of an import, which counts for both. Thread: any. */
static inline struct sub *service_import_sub(const struct service_import *s)
{
    return sub_behind(s, sizeof(*s));
}
