/* SPDX-License-Identifier: Apache-2.0 */
/* A report is collected from the connection, with strings that lie in it, and then packed: a first
 * walk over what it points to adds up sizes, a second one moves it all behind the report. */
#include "conn/conn_report.h"

#include <string.h>

#include "base/attr.h"
#include "base/mem.h"
#include "conn/conn.h"

/** Where things are moved to; NULL: they are only counted. */
struct packer {
    char *at;
    size_t n; // [bytes] counted
};

static void pack_bytes(struct packer *p, const void **from, size_t n)
{
    if (p->at && n) {
        memcpy(p->at, *from, n);
        *from = p->at;
        p->at += n;
    }
    p->n += n;
}

static void pack_str(struct packer *p, struct str *s)
{
    const void *from = s->p;

    if (s->n) {
        pack_bytes(p, &from, s->n);
        s->p = from;
    }
}

/* Arrays come first: what is packed behind them needs no alignment. */
static void pack_arrays(struct packer *p, struct conn_report *r)
{
    const void *from = r->subs;

    pack_bytes(p, &from, r->n_listed_subs * sizeof(r->subs[0]));
    r->subs = from;
    from = r->certs;
    pack_bytes(p, &from, r->n_certs * sizeof(r->certs[0]));
    r->certs = from;
}

static void pack_subs(struct packer *p, struct conn_report *r)
{
    struct conn_report_sub *subs = (struct conn_report_sub *)(uintptr_t)r->subs;

    for (size_t i = 0; i < r->n_listed_subs; i++) {
        pack_str(p, &subs[i].subject);
        pack_str(p, &subs[i].queue);
        pack_str(p, &subs[i].sid);
        pack_str(p, &subs[i].exporter);
    }
}

static void pack_certs(struct packer *p, struct conn_report *r)
{
    struct conn_report_cert *certs = (struct conn_report_cert *)(uintptr_t)r->certs;

    for (size_t i = 0; i < r->n_certs; i++) {
        pack_str(p, &certs[i].subject);
        pack_str(p, &certs[i].spki_sha256);
        pack_str(p, &certs[i].cert_sha256);
    }
}

static void pack(struct packer *p, struct conn_report *r)
{
    struct str *strings[] = {&r->ip,   &r->name,        &r->lang,       &r->version,  &r->account,
                             &r->user, &r->tls_version, &r->tls_cipher, &r->proxy_key};

    pack_arrays(p, r);
    for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
        pack_str(p, strings[i]);
    }
    pack_subs(p, r);
    pack_certs(p, r);
}

/* [bytes] that a report takes with all that it points to. */
static size_t packed_bytes(const struct conn_report *r)
{
    struct conn_report copy = *r;
    struct packer counter = {0};

    pack(&counter, &copy);
    return sizeof(*r) + counter.n;
}

static struct conn_report *pack_into(void *memory, size_t n, const struct conn_report *r)
{
    struct conn_report *packed = memory;

    *packed = *r;
    packed->n_bytes = n;
    pack(&(struct packer){.at = (char *)(packed + 1)}, packed);
    return packed;
}

struct conn_report *conn_report_copy(const struct conn_report *r, struct arena *a)
{
    size_t n = packed_bytes(r);

    return pack_into(arena_alloc(a, n), n, r);
}

void conn_report_fill(struct conn *c, unsigned what, struct conn_report *out, struct arena *scratch)
{
    *out = (struct conn_report){
        .handle = c->handle, .kind = c->ops->kind, .subs_from = out->subs_from};
    c->ops->report(c, what, out, scratch);
}

struct conn_report *conn_report_new_from(struct conn *c, unsigned what, uint32_t from)
{
    struct arena scratch = {0};
    struct conn_report r = {.subs_from = from};

    conn_report_fill(c, what, &r, &scratch);
    size_t n = packed_bytes(&r);
    struct conn_report *packed = pack_into(mem_alloc(n), n, &r);
    arena_deinit(&scratch);
    return packed;
}

struct conn_report *conn_report_new(struct conn *c, unsigned what)
{
    return conn_report_new_from(c, what, 0);
}
