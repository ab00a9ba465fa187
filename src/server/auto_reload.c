/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever happens in a folder is a reason to look, some time later, whether a file of ours is
 * another one now: links, also those of whole folders, are followed. */
#include "server/auto_reload.h"

#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/dir_watch.h"
#include "server/cli.h"
#include "server/server.h"

#define SETTLE_NS (300 * CLOCK_MS_NS) // without changes before the files are looked at

struct watched_file {
    char *path;
    struct stat state; // zero: it was not there
    struct dir_watch *folder;
};

static void look(const char *path, struct stat *out)
{
    if (stat(path, out)) {
        *out = (struct stat){0};
    }
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void on_settled(struct timer *t)
{
    struct auto_reload *a = CONTAINER_OF(t, struct auto_reload, timer);
    bool has_changed = false;

    for (size_t i = 0; i < a->n; i++) {
        struct stat now;

        look(a->files[i].path, &now);
        has_changed = has_changed || !is_same(&now, &a->files[i].state);
        a->files[i].state = now;
    }
    if (has_changed) {
        log_info("Configuration or certificates changed, reloading");
        reload_run(a->server);
    }
}

static void on_change(void *arg)
{
    struct auto_reload *a = arg;

    worker_set_timer(a->server->control, &a->timer, clock_now_ns() + SETTLE_NS);
}

static void watch(struct auto_reload *a, const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    size_t folder_n = slash ? (size_t)(slash - path) + 1 : 0;

    if (!path || !path[0]) {
        return;
    }
    a->files = mem_realloc(a->files, (a->n + 1) * sizeof(*a->files));
    struct watched_file *f = &a->files[a->n++];
    *f = (struct watched_file){.path = mem_strndup(path, strlen(path))};
    look(path, &f->state);
    char *folder = folder_n ? mem_strndup(path, folder_n) : mem_strndup(".", 1);
    enum status st = dir_watch_open(a->server->control, folder, on_change, a, &f->folder);
    if (st != ST_OK) {
        log_warn("auto_reload: cannot watch %s: %s", folder, status_text(st));
    }
    mem_free(folder);
}

void auto_reload_start(struct server *s)
{
    struct auto_reload *a = &s->auto_reload;
    const struct tls_options *tls = &s->config->client.tls;

    auto_reload_stop(s);
    a->server = s;
    a->timer.fire = on_settled;
    if (!s->config->server.auto_reload || !s->cli->config) {
        return;
    }
    watch(a, s->cli->config);
    watch(a, tls->ca_file);
    watch(a, tls->cert_file);
    watch(a, tls->key_file);
    for (size_t i = 0; i < tls->certs.n; i++) {
        watch(a, tls->certs.at[i].cert_file);
        watch(a, tls->certs.at[i].key_file);
    }
}

void auto_reload_stop(struct server *s)
{
    struct auto_reload *a = &s->auto_reload;

    for (size_t i = 0; i < a->n; i++) {
        dir_watch_close(a->files[i].folder);
        mem_free(a->files[i].path);
    }
    mem_free(a->files);
    a->files = NULL;
    a->n = 0;
    if (a->server) {
        worker_clear_timer(s->control, &a->timer);
    }
}
