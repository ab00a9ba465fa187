/* SPDX-License-Identifier: Apache-2.0 */
/* Connections come and go by themselves; here is what they share, and their end. */
#include "monitor/http_server.h"

#include "base/clock.h"
#include "base/mem.h"
#include "conn/shard.h"
#include "http/path.h"
#include "io/tls_context.h"
#include "monitor/http_conn.h"
#include "monitor/monitor.h"

/* A reader that takes nothing of its answer for so long is gone. */
#define WRITE_DEADLINE_NS (10 * CLOCK_SEC_NS)

/* @return  "" or "/x", owned by the caller */
static struct str make_base(struct str path)
{
    struct buf clean = {0};

    http_path_clean(path, &clean);
    while (clean.n && clean.p[clean.n - 1] == '/') {
        clean.n--;
    }
    return buf_str(&clean);
}

void http_server_init(struct http_server *s, struct monitor *m, const struct http_site *site,
                      struct str base_path)
{
    *s = (struct http_server){
        .monitor = m,
        .site = site,
        .base = make_base(base_path),
        .limits = {.max_pending_bytes = INT64_MAX, // little is made while much is queued
                   .high_pending_bytes = SIZE_MAX,
                   .retries_writes = true,
                   .write_deadline_ns = WRITE_DEADLINE_NS},
        .last_end = &s->waiting,
    };
}

void http_server_secure(struct http_server *s, struct tls_context *take_tls)
{
    tls_context_unref(s->tls);
    s->tls = take_tls;
}

void http_server_accept(struct http_server *s, int take_fd, const struct sockaddr_storage *from)
{
    struct addr a = addr_of(from);

    http_conn_start(s, take_fd, &a);
}

static void close_one(struct conn *c, void *arg)
{
    http_conn_abort(c, arg);
}

void http_server_stop(struct http_server *s)
{
    if (s->monitor) { // a start may fail before that
        shard_for_each(s->monitor->shards[0], close_one, s);
    }
}

void http_server_deinit(struct http_server *s)
{
    tls_context_unref(s->tls);
    mem_free((void *)(uintptr_t)s->base.p);
    *s = (struct http_server){0};
}
