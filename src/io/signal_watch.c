/* SPDX-License-Identifier: Apache-2.0 */
/* libuv queues signals in a pipe, so that callbacks run as ordinary code. */
#include "io/signal_watch.h"

static void on_signal(uv_signal_t *h, int number)
{
    struct signal_watch *s = h->data;

    s->fn(number, s->arg);
}

void signal_watch_start(struct signal_watch *s, struct worker *w, int number,
                        void (*fn)(int number, void *arg), void *arg)
{
    s->fn = fn;
    s->arg = arg;
    uv_signal_init(&w->loop, &s->handle);
    s->handle.data = s;
    uv_signal_start(&s->handle, on_signal, number);
}

void signal_watch_stop(struct signal_watch *s)
{
    if (s->fn) {
        uv_signal_stop(&s->handle);
    }
}
