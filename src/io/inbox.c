/* SPDX-License-Identifier: Apache-2.0 */
/* Multi-producer list. Sequentially consistent on purpose: the push and the receiver's "asleep"
 * flag (worker.c) must not pass each other. */
#include "io/inbox.h"

#include <stddef.h>

bool inbox_push(struct inbox *in, struct inbox_item *item)
{
    struct inbox_item *head = atomic_load_explicit(&in->head, memory_order_relaxed);

    do {
        item->next = head;
    } while (!atomic_compare_exchange_weak(&in->head, &head, item));
    return head == NULL;
}

struct inbox_item *inbox_take(struct inbox *in)
{
    struct inbox_item *item = atomic_exchange(&in->head, NULL);
    struct inbox_item *ordered = NULL;

    while (item) {
        struct inbox_item *next = item->next;

        item->next = ordered;
        ordered = item;
        item = next;
    }
    return ordered;
}
