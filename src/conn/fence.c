/* SPDX-License-Identifier: Apache-2.0 */
/* One call goes to each other worker, which hands over what it has staged and sends the call back
 * behind it. Inboxes keep the order, so when all calls are back, all output is there. */
#include "conn/fence.h"

#include "base/mem.h"
#include "conn/conn.h"
#include "conn/shard.h"

struct fence_call {
    struct inbox_item item;
    struct shard *at, *owner;
    uint64_t handle; // of the connection, which may go meanwhile
};

static void on_return(struct worker *w, struct inbox_item *item)
{
    struct fence_call *f = CONTAINER_OF(item, struct fence_call, item);
    struct conn *c = handle_find(&f->owner->table, f->handle);

    (void)w;
    mem_free(f);
    if (c && --c->n_fence_calls == 0 && !conn_is_closing(c)) {
        c->ops->on_fenced(c);
        if (c->n_fence_calls == 0) { // no other fence was put up
            conn_resume_soon(c);
        }
    }
}

static void on_call(struct worker *w, struct inbox_item *item)
{
    struct fence_call *f = CONTAINER_OF(item, struct fence_call, item);

    (void)w;
    shard_hand_over(f->at);
    f->item.run = on_return;
    worker_post(f->owner->worker, &f->item);
}

bool fence_start(struct conn *c)
{
    struct shard *sh = c->shard;

    ENSURE(c->n_fence_calls == 0);
    for (unsigned i = 1; i < sh->n_all; i++) {
        if (sh->all[i] == sh) {
            continue;
        }
        struct fence_call *f = mem_alloc(sizeof(*f));

        *f = (struct fence_call){
            .item.run = on_call, .at = sh->all[i], .owner = sh, .handle = c->handle};
        c->n_fence_calls++;
        worker_post(sh->all[i]->worker, &f->item);
    }
    if (c->n_fence_calls == 0) {
        return false;
    }
    conn_suspend(c);
    return true;
}
