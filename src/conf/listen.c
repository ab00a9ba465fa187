/* SPDX-License-Identifier: Apache-2.0 */
/* Values of "listen", "http" and the like. */
#include "conf/listen.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/mem.h"
#include "conf/value.h"

enum status listen_parse(const struct node *value, struct str *host, int64_t *port,
                         struct option_reader *r)
{
    struct str port_text;

    *host = (struct str){0};
    if (value->kind == NODE_INT) {
        *port = value->number;
        return ST_OK;
    }
    if (value->kind != NODE_STR) {
        diag_error(r->d, &value->at, "expected port or host:port, got %s",
                   node_kind_name(value->kind));
        return ST_FAILED;
    }
    switch (value_parse_address(value->text, host, port, &port_text)) {
    case ST_OK:
        return ST_OK;
    case ST_OUT_OF_RANGE:
        diag_error(r->d, &value->at, "could not parse port \"%.*s\"", STR_ARG(port_text));
        return ST_FAILED;
    default:
        diag_error(r->d, &value->at, "could not parse address string \"%.*s\"",
                   STR_ARG(value->text));
        return ST_FAILED;
    }
}

static void release(void *field)
{
    struct listen_address *a = field;

    mem_free(a->host);
    *a = (struct listen_address){0};
}

static enum status read_address(void *field, const struct node *value, struct option_reader *r)
{
    struct listen_address *a = field;
    struct str host;
    int64_t port;

    if (listen_parse(value, &host, &port, r) != ST_OK) {
        return ST_FAILED;
    }
    release(a);
    a->host = host.n ? mem_strndup(host.p, host.n) : NULL;
    a->port = port;
    return ST_OK;
}

static bool is_equal(const void *a, const void *b)
{
    const struct listen_address *x = a;
    const struct listen_address *y = b;

    return x->port == y->port && str_equal(str_of(x->host), str_of(y->host));
}

static void print(const void *field, struct buf *out)
{
    const struct listen_address *a = field;

    if (!a->host) {
        buf_printf(out, "%" PRId64, a->port);
        return;
    }
    bool is_v6 = strchr(a->host, ':');
    buf_printf(out, "\"%s%s%s:%" PRId64 "\"", is_v6 ? "[" : "", a->host, is_v6 ? "]" : "", a->port);
}

const struct option_type listen_address_type = {
    .read = read_address, .release = release, .equal = is_equal, .print = print};
