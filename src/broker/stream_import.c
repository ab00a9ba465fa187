/* SPDX-License-Identifier: Apache-2.0 */
/* The subscription behind a subscription. It has the receiver's handle and id, so that whoever
 * writes to the receiver need not know; only the subject is another one. */
#include "broker/stream_import.h"

#include "base/mem.h"
#include "broker/account.h"
#include "broker/deliver.h"
#include "broker/index.h"
#include "broker/links.h"
#include "broker/msg_origin.h"
#include "broker/peer.h"
#include "broker/rights.h"
#include "broker/trace.h"
#include "conn/tally.h"
#include "proto/pattern.h"

struct stream_import *stream_import_new(struct tenancy *tenancy, const struct import *import,
                                        struct account *from, struct account *to)
{
    struct stream_import *s = mem_alloc(sizeof(*s));

    *s = (struct stream_import){
        .tenancy = tenancy_ref(tenancy), .import = import, .importer = from, .exporter = to};
    atomic_init(&s->refs, 1);
    return s;
}

void stream_import_follow(struct stream_import *s, struct tenancy *tenancy,
                          const struct import *import)
{
    struct tenancy *before = s->tenancy;

    s->tenancy = tenancy_ref(tenancy);
    s->import = import;
    tenancy_unref(before);
}

struct stream_import *stream_import_ref(struct stream_import *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void stream_import_unref(struct stream_import *s)
{
    if (s && atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1) {
        tenancy_unref(s->tenancy);
        mem_free(s);
    }
}

static struct imported *imported_of(const struct sub *s)
{
    return sub_record(s, sizeof(struct imported));
}

/* ---- as a peer */

static struct str subject_seen(const struct sub *s, struct str subject, struct buf *out)
{
    const struct transform *t = imported_of(s)->stream->import->transforms.to_local;

    if (!t) {
        return subject;
    }
    out->n = 0;
    transform_apply(t, subject, 0, out);
    return buf_str(out);
}

/* How many from the first on have the same receiver and the same import? */
static size_t count_alike(struct sub *const *subs, size_t n)
{
    const struct imported *first = imported_of(subs[0]);
    size_t i = 1;

    while (i < n && imported_of(subs[i])->stream == first->stream &&
           imported_of(subs[i])->receiver == first->receiver) {
        i++;
    }
    return i;
}

/* Messages count where they were published. */
static void count(const struct delivery *d, const struct stream_import *s, const struct msg *m,
                  size_t n)
{
    unsigned worker = d->shard->index;

    tally_move_out(account_tally(s->importer, worker), account_tally(s->exporter, worker), n,
                   n * (m->hdr.n + m->payload.n));
}

/* What entered the account as a request is for its services, not for those who take its streams. */
static size_t write_msg(struct delivery *d, struct msg *m, struct sub *const *subs, size_t n,
                        bool with_tickets)
{
    struct str subject = m->subject;
    size_t n_taken = 0;

    for (size_t i = 0; i < n && !m->origin->before;) {
        const struct imported *s = imported_of(subs[i]);
        size_t n_alike = count_alike(subs + i, n - i);

        m->subject = subject_seen(subs[i], subject, &d->seen);
        if (UNLIKELY(m->origin->trace != NULL)) {
            trace_stream(m->origin->trace, s->stream->importer, m->subject,
                         s->stream->import->allow_trace);
        }
        size_t n_written = s->receiver->write_msg(d, m, subs + i, n_alike, with_tickets);
        count(d, s->stream, m, n_written);
        n_taken += n_written;
        i += n_alike;
    }
    m->subject = subject;
    return n_taken;
}

static void release(struct sub *sub)
{
    struct imported *s = imported_of(sub);

    stream_import_unref(s->stream);
    mem_free(s);
}

static const struct peer_ops stream_ops = {
    .kind = "Account", .write_msg = write_msg, .subject_seen = subject_seen, .release = release};

/* ---- subscribing */

/* The part of a subscription's subject that an import serves, as the exporter has it. */
static struct str subject_behind(const struct stream_import *s, const struct sub *local,
                                 struct buf *common, struct buf *out)
{
    const struct import *import = s->import;

    common->n = out->n = 0;
    if (!pattern_intersect(sub_subject(local), import->local, common)) {
        return (struct str){0};
    }
    if (!import->transforms.to_remote) {
        return buf_str(common);
    }
    transform_apply(import->transforms.to_remote, buf_str(common), 0, out);
    return buf_str(out);
}

static struct imported *subscribe(struct stream_import *s, struct sub *local, struct str subject)
{
    struct sub *sub = sub_new_behind(sizeof(struct imported), local->owner, &stream_ops, subject,
                                     sub_queue(local), sub_sid(local));
    struct imported *behind = imported_of(sub);

    behind->stream = stream_import_ref(s);
    behind->receiver = local->ops;
    behind->local = local;
    atomic_store(&sub->flags, sub_flags(local) & SUB_HEADERS);
    rights_unref(sub_set_rights(sub, sub_subject(local), atomic_load(&local->rights)));
    index_add(s->exporter->index, sub);
    return behind;
}

static bool is_among(const struct imported *list, const struct stream_import *s)
{
    while (list && list->stream != s) {
        list = list->next;
    }
    return list != NULL;
}

struct imported *stream_import_subscribe(const struct links *links, struct sub *local,
                                         struct imported *list)
{
    struct buf common = {0};
    struct buf out = {0};

    for (size_t i = 0; links && i < links->n_streams; i++) {
        struct stream_import *s = links->streams[i];
        struct str subject = subject_behind(s, local, &common, &out);

        if (subject.n && !is_among(list, s)) {
            struct imported *behind = subscribe(s, local, subject);

            behind->next = list;
            list = behind;
        }
    }
    buf_deinit(&common);
    buf_deinit(&out);
    return list;
}

static bool is_linked(const struct links *links, const struct stream_import *s)
{
    size_t i = 0;

    while (links && i < links->n_streams && links->streams[i] != s) {
        i++;
    }
    return links && i < links->n_streams;
}

struct imported *stream_import_unsubscribe(const struct links *links, struct imported *list)
{
    struct imported *kept = NULL;
    struct imported *next;

    for (; list; list = next) {
        next = list->next;
        if (is_linked(links, list->stream)) {
            list->next = kept;
            kept = list;
            continue;
        }
        atomic_fetch_or(&imported_sub(list)->flags, SUB_CLOSED);
        index_remove(list->stream->exporter->index, imported_sub(list));
        sub_unref(imported_sub(list));
    }
    return kept;
}
