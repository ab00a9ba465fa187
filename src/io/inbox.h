/* SPDX-License-Identifier: Apache-2.0 */
/* A list that any thread may push to and one thread takes whole: the way into another thread.
 * C11 atomics only; the list is kept in reverse and turned round when it is taken. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct worker;

/** What is posted; embedded in the poster's own struct. `run` owns the item from then on. */
struct inbox_item {
    struct inbox_item *next;
    void (*run)(struct worker *w, struct inbox_item *item); // on the receiving thread
};

struct inbox {
    _Atomic(struct inbox_item *) head;
};

/** Add an item, which the inbox then owns. @return whether it was empty before. Thread: any. */
bool inbox_push(struct inbox *in, struct inbox_item *item);

/** @return  all items in the order pushed, linked by next; NULL if none. Thread: the receiver. */
struct inbox_item *inbox_take(struct inbox *in);

/** @return  whether nothing is waiting. Thread: any. */
static inline bool inbox_is_empty(struct inbox *in)
{
    return atomic_load(&in->head) == NULL;
}
