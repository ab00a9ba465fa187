/* SPDX-License-Identifier: Apache-2.0 */
/* One piece of memory per message, posted to the worker; the bytes on the way are counted. */
#include "system/outbox.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/account.h"
#include "broker/deliver.h"
#include "broker/index.h"
#include "broker/server_block.h"
#include "io/worker.h"

#define MAX_BYTES (64u << 20)

struct post {
    struct inbox_item item;
    struct outbox *outbox;
    struct account *account;
    size_t n_bytes;
    struct str subject, hdr, payload; // in this order behind it
};

void outbox_init(struct outbox *o, struct worker *control, struct delivery *delivery,
                 struct server_block *block)
{
    *o = (struct outbox){.control = control, .delivery = delivery, .block = block};
}

bool outbox_has_room(struct outbox *o)
{
    return atomic_load(&o->n_bytes) < MAX_BYTES;
}

static void drop(struct outbox *o)
{
    static struct log_rate rate;

    o->n_dropped++;
    log_limited(&rate, LOG_WRN,
                "Dropped events of the system account, %llu so far: too many at once",
                (unsigned long long)o->n_dropped);
}

bool outbox_wants(struct outbox *o, const struct account *a, struct str subject)
{
    if (index_has_interest(a->index, o->control->index, subject)) {
        if (outbox_has_room(o)) {
            return true;
        }
        drop(o);
    }
    server_block_skip(o->block);
    return false;
}

void outbox_await_room(struct outbox *o)
{
    atomic_store(&o->is_room_awaited, true);
    if (atomic_load(&o->n_bytes) < MAX_BYTES / 2 && atomic_exchange(&o->is_room_awaited, false)) {
        worker_call(o->control, o->on_room, o->room_arg); // it was made meanwhile
    }
}

static void release(struct outbox *o, size_t n_bytes)
{
    size_t before = atomic_fetch_sub(&o->n_bytes, n_bytes);

    if (before - n_bytes < MAX_BYTES / 2 && atomic_exchange(&o->is_room_awaited, false)) {
        worker_call(o->control, o->on_room, o->room_arg);
    }
}

static void on_post(struct worker *w, struct inbox_item *item)
{
    struct post *p = CONTAINER_OF(item, struct post, item);

    (void)w;
    deliver_own_with(p->outbox->delivery, p->account, p->subject, p->hdr, p->payload);
    release(p->outbox, p->n_bytes);
    mem_free(p);
}

void outbox_post(struct outbox *o, struct account *a, struct str subject, struct str hdr,
                 struct str payload)
{
    size_t n_bytes = sizeof(struct post) + subject.n + hdr.n + payload.n;

    if (o->is_closed) {
        return;
    }
    struct post *p = mem_alloc(n_bytes);
    char *at = (char *)(p + 1);

    *p = (struct post){.item.run = on_post, .outbox = o, .account = a, .n_bytes = n_bytes};
    p->subject = str_put(&at, subject);
    p->hdr = str_put(&at, hdr);
    p->payload = str_put(&at, payload);
    atomic_fetch_add(&o->n_bytes, n_bytes);
    worker_post(o->delivery->shard->worker, &p->item);
}

struct flush {
    struct outbox *outbox;
    void (*fn)(void *arg);
    void *arg;
};

static void run_flush(void *arg)
{
    struct flush *f = arg;

    shard_hand_over(f->outbox->delivery->shard);
    worker_call(f->outbox->control, f->fn, f->arg);
    mem_free(f);
}

void outbox_close(struct outbox *o, void (*fn)(void *arg), void *arg)
{
    struct flush *f = mem_alloc(sizeof(*f));

    o->is_closed = true;
    *f = (struct flush){.outbox = o, .fn = fn, .arg = arg};
    worker_call(o->delivery->shard->worker, run_flush, f);
}
