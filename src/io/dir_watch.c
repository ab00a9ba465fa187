/* SPDX-License-Identifier: Apache-2.0 */
/* inotify, by way of libuv. */
#include "io/dir_watch.h"

#include <uv.h>

#include "base/mem.h"

struct dir_watch {
    uv_fs_event_t handle;
    void (*fn)(void *arg);
    void *arg;
};

static void on_event(uv_fs_event_t *h, const char *name, int events, int status)
{
    struct dir_watch *d = h->data;

    (void)name;
    (void)events;
    (void)status;
    d->fn(d->arg);
}

static void on_closed(uv_handle_t *h)
{
    mem_free(h->data);
}

enum status dir_watch_open(struct worker *w, const char *path, void (*fn)(void *arg), void *arg,
                           struct dir_watch **out)
{
    struct dir_watch *d = mem_zalloc(sizeof(*d));

    d->fn = fn;
    d->arg = arg;
    uv_fs_event_init(&w->loop, &d->handle);
    d->handle.data = d;
    int e = uv_fs_event_start(&d->handle, on_event, path, 0);
    if (e) {
        dir_watch_close(d);
        return (enum status)e;
    }
    *out = d;
    return ST_OK;
}

void dir_watch_close(struct dir_watch *d)
{
    if (d) {
        uv_close((uv_handle_t *)&d->handle, on_closed);
    }
}
