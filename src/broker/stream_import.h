/* SPDX-License-Identifier: Apache-2.0 */
/* Streams across accounts (spec 05 §7): a subscription that overlaps with an import of a stream
 * gets another one behind it, in the index of the exporting account, with the same receiver and id.
 * What that takes is handed to the receiver with the subject that it has in the importing
 * account. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "broker/sub.h"
#include "broker/tenancy.h"

struct account;
struct links;
struct peer_ops;

/** An import of a stream in force; counted by its subscriptions and by the links. */
struct stream_import {
    _Atomic uint32_t refs;
    struct tenancy *tenancy; // a reference; `import` is part of it. Thread: control
    _Atomic(const struct import *) import;
    struct account *importer;
    struct account *exporter;
};

/** What stands behind a subscription; a list of them, as there may be several imports. Before a
 * subscription of its own, in the exporter's index, which counts for both. */
struct imported {
    struct stream_import *stream; // a reference
    const struct peer_ops *receiver;
    struct sub *local;     // borrowed from who keeps the list
    struct imported *next; // for the same local
};

/** Make an import; one reference, the caller's. @param tenancy  a reference is taken. Thread:
 * any. */
struct stream_import *stream_import_new(struct tenancy *tenancy, const struct import *import,
                                        struct account *from, struct account *to);

/** The import is part of another tenancy now: as service_import_follow. Thread: control. */
void stream_import_follow(struct stream_import *s, struct tenancy *tenancy,
                          const struct import *import);

/** Take one more reference. @return s. Thread: any that holds one. */
struct stream_import *stream_import_ref(struct stream_import *s);

/** @return  its own subscription. Thread: any. */
static inline struct sub *imported_sub(const struct imported *i)
{
    return sub_behind(i, sizeof(*i));
}

/** Give a reference back; NULL is allowed. Thread: any. */
void stream_import_unref(struct stream_import *s);

/**
 * Subscribe to the imports of an account that a subscription overlaps with.
 * @param links  of the account; NULL: none
 * @param local  with its flags and rights set; of the imports that are in `list` it has its
 *               subscriptions already
 * @param list   what there is already; NULL: nothing
 * @return       the list with what was added: each holds a reference of the list's own
 * Thread: the worker of the receiver.  Locks: the exporters' indexes (write).
 */
MUST_USE struct imported *stream_import_subscribe(const struct links *links, struct sub *local,
                                                  struct imported *list);

/**
 * Unsubscribe from those of a list that are none of the imports of an account.
 * @param links  NULL: from all
 * @return       what is left of the list
 * Thread: as stream_import_subscribe.
 */
MUST_USE struct imported *stream_import_unsubscribe(const struct links *links,
                                                    struct imported *list);
