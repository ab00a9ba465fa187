/* SPDX-License-Identifier: Apache-2.0 */
/* Exports of all accounts come first (tenancy_exports.c), so that the order of accounts does not
 * matter; then imports (tenancy_imports.c); then cycles, which take several. What is wrong is
 * reported as far as it goes, in the reference's words. */
#include "auth/tenancy_make.h"

#include <stdlib.h>
#include <string.h>

#include "auth/import_cycles.h"
#include "auth/tenancy_priv.h"
#include "base/attr.h"
#include "base/mem.h"
#include "base/quote.h"
#include "broker/account.h"
#include "broker/mapping.h"
#include "broker/tenancy.h"
#include "proto/pattern.h"
#include "proto/subject.h"

#define SYSTEM_ACCOUNT STR("$SYS")

/** What every account may ask about itself, without knowing its own name (spec 06 §7). */
static const struct {
    struct str local;    // where it asks
    struct str exported; // "*" is the name of the account
    bool share;          // who asks is told
    bool for_system;     // the system account asks in the same way; else it asks about all
} services[] = {
    {STR_INIT("$SYS.REQ.USER.INFO"), STR_INIT("$SYS.REQ.USER.*.INFO"), true, true},
    {STR_INIT("$SYS.REQ.ACCOUNT.PING.CONNZ"), STR_INIT("$SYS.REQ.ACCOUNT.*.CONNZ"), false, false},
    {STR_INIT("$SYS.REQ.SERVER.PING.CONNZ"), STR_INIT("$SYS.REQ.ACCOUNT.*.CONNZ"), false, false},
    {STR_INIT("$SYS.REQ.ACCOUNT.PING.STATZ"), STR_INIT("$SYS.REQ.ACCOUNT.*.STATZ"), false, false},
};

/* ---- messages */

void tenancy_refuse(struct tenancy_maker *m, const char *what, struct str subject, struct str why)
{
    struct buf text = {0};

    buf_printf(&text, "Error adding %s ", what);
    quote_go(&text, subject);
    buf_add(&text, STR(": "));
    buf_add(&text, why);
    diag_error(m->d, m->at, "%.*s", STR_ARG(buf_str(&text)));
    buf_deinit(&text);
    m->st = ST_FAILED;
}

void tenancy_refuse_account(struct tenancy_maker *m, const char *name, const char *what)
{
    struct buf text = {0};

    quote_go(&text, str_of(name));
    diag_error(m->d, m->at, "%.*s account not defined for %s", STR_ARG(buf_str(&text)), what);
    buf_deinit(&text);
    m->st = ST_FAILED;
}

/* ---- tenants */

static struct str system_name(const struct auth_options *o)
{
    return o->system_account[0] ? str_of(o->system_account) : SYSTEM_ACCOUNT;
}

bool tenancy_wants_system(const struct tenancy_maker *m)
{
    return !m->o->no_system_account || m->o->system_account[0];
}

/* Of a tenant that is ours to fill. */
static struct tenant *find(const struct tenancy_maker *m, struct str name)
{
    return (struct tenant *)(uintptr_t)tenancy_find(m->t, name);
}

struct tenant *tenancy_find_configured(const struct tenancy_maker *m, struct str name)
{
    struct tenant *t = find(m, name);

    return t && m->is_configured[t - m->t->at] ? t : NULL;
}

static int compare_names(const void *a, const void *b)
{
    const struct tenant *ta = a;
    const struct tenant *tb = b;

    return str_compare(ta->name, tb->name);
}

static void add_names(struct tenancy_maker *m)
{
    struct tenancy *t = m->t;
    const struct account_list *accounts = &m->o->accounts;
    size_t n = 0;

    t->at = arena_alloc(&t->arena, (accounts->n + 2) * sizeof(*t->at));
    t->at[n++].name = STR(ACCOUNT_GLOBAL);
    if (tenancy_wants_system(m)) {
        t->at[n++].name = arena_str(&t->arena, system_name(m->o));
    }
    for (size_t i = 0; i < accounts->n; i++) {
        t->at[n++].name = arena_str(&t->arena, str_of(accounts->at[i].name));
    }
    qsort(t->at, n, sizeof(*t->at), compare_names);
    for (size_t i = 0; i < n; i++) {
        if (!t->n || !str_equal(t->at[t->n - 1].name, t->at[i].name)) {
            t->at[t->n++] = t->at[i];
        }
    }
}

static const struct mappings *make_mappings(const struct mapping_list *l, struct str cluster)
{
    struct mappings *m = l->n ? mappings_new(cluster) : NULL;
    struct buf why = {0};

    for (size_t i = 0; i < l->n; i++) {
        const struct mapping_options *o = &l->at[i];

        ENSURE(mappings_add(m, o->source, o->dests, o->n, &why) == ST_OK); // was tried when read
    }
    buf_deinit(&why);
    return m;
}

/* All have room for the services of the system account besides what is configured. */
static void make_room(struct tenancy_maker *m, struct tenant *t, size_t n_exports, size_t n_imports)
{
    n_exports += ARRAY_SIZE(services);
    n_imports += ARRAY_SIZE(services);
    t->exports = arena_alloc(&m->t->arena, n_exports * sizeof(*t->exports));
    t->imports = arena_alloc(&m->t->arena, n_imports * sizeof(*t->imports));
}

static void add_tenants(struct tenancy_maker *m)
{
    const struct account_list *accounts = &m->o->accounts;

    add_names(m);
    m->is_configured = mem_zalloc(m->t->n * sizeof(*m->is_configured));
    for (size_t i = 0; i < m->t->n; i++) {
        make_room(m, &m->t->at[i], 0, 0);
    }
    find(m, STR(ACCOUNT_GLOBAL))->mappings = make_mappings(&m->o->mappings, m->cluster);
    for (size_t i = 0; i < accounts->n; i++) {
        const struct account_options *a = &accounts->at[i];
        struct tenant *t = find(m, str_of(a->name));

        m->is_configured[t - m->t->at] = true;
        make_room(m, t, a->exports.n, a->imports.n);
        t->mappings = make_mappings(&a->mappings, m->cluster);
        t->trace_dest = arena_str(&m->t->arena, str_of(a->trace.dest));
        t->trace_sampling = a->trace.sampling;
    }
}

/* ---- services of the system account */

static const struct export *give_service(struct tenant *system, struct str subject)
{
    struct export *list = (struct export *)(uintptr_t)system->exports;

    for (size_t i = 0; i < system->n_exports; i++) {
        if (list[i].is_service && pattern_covers(list[i].subject, subject)) {
            return &list[i];
        }
    }
    list[system->n_exports] = (struct export){.subject = subject,
                                              .is_service = true,
                                              .is_public = true,
                                              .threshold_ns = EXPORT_THRESHOLD_NS};
    return &list[system->n_exports++];
}

/* The subject of a service for one account. */
static struct str address(struct tenancy_maker *m, struct str pattern, struct str account)
{
    const char *star = memchr(pattern.p, '*', pattern.n);
    struct buf subject = {0};
    struct str kept;

    buf_printf(&subject, "%.*s%.*s%.*s", (int)(star - pattern.p), pattern.p, STR_ARG(account),
               (int)(pattern.p + pattern.n - star - 1), star + 1);
    kept = arena_str(&m->t->arena, buf_str(&subject));
    buf_deinit(&subject);
    return kept;
}

static void take_service(struct tenancy_maker *m, struct tenant *t, size_t which,
                         const struct export *e)
{
    struct import *list = (struct import *)(uintptr_t)t->imports;
    struct import i = {.from = m->t->system,
                       .export = e,
                       .subject = address(m, services[which].exported, t->name),
                       .to = services[which].local,
                       .is_service = true,
                       .share = services[which].share};
    struct buf why = {0};

    if (transform_pair_init(i.subject, i.to, &i.transforms, &why) == ST_OK) {
        i.local = buf_str(&i.transforms.local);
        list[t->n_imports++] = i;
    } else {
        transform_pair_deinit(&i.transforms);
    }
    buf_deinit(&why);
}

static bool is_plain_token(struct str name)
{
    return pattern_is_valid(name) && !pattern_has_wildcard(name) && subject_count_tokens(name) == 1;
}

/* What an account imports under the same subject by itself stays. */
static bool wants_service(const struct tenant *t, const struct tenant *system, size_t which)
{
    const struct import like_it = {
        .from = system, .local = services[which].local, .is_service = true};

    return is_plain_token(t->name) && (t != system || services[which].for_system) &&
           !tenancy_find_twin(t, &like_it);
}

static void give_system_services(struct tenancy_maker *m)
{
    struct tenant *system = find(m, system_name(m->o));

    if (!tenancy_wants_system(m) || !system) {
        return;
    }
    m->t->system = system;
    system->is_system = true;
    for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
        const struct export *e = give_service(system, services[i].exported);

        for (struct tenant *t = m->t->at; t < m->t->at + m->t->n; t++) {
            if (wants_service(t, system, i)) {
                take_service(m, t, i, e);
            }
        }
    }
}

/* ---- all together */

static void check_cycles(struct tenancy_maker *m)
{
    struct import_cycle c;

    if (import_cycle_find_stream(m->t, &c)) {
        tenancy_refuse(m, "stream import", c.import->subject, STR("import forms a cycle"));
    }
    if (import_cycle_find_service(m->t, &c)) {
        tenancy_refuse(m, "service import", c.import->subject,
                       c.is_too_deep ? STR("search cycle depth exhausted")
                                     : STR("import forms a cycle"));
    }
}

enum status tenancy_make(const struct auth_options *o, struct str cluster,
                         const struct diag_place *at, struct diag *d, struct tenancy **out)
{
    struct tenancy_maker m = {
        .o = o, .cluster = cluster, .at = at, .d = d, .t = tenancy_new(), .st = ST_OK};

    add_tenants(&m);
    for (size_t i = 0; i < o->accounts.n; i++) {
        tenancy_add_exports(&m, find(&m, str_of(o->accounts.at[i].name)),
                            &o->accounts.at[i].exports);
    }
    for (size_t i = 0; i < o->accounts.n; i++) {
        tenancy_add_imports(&m, find(&m, str_of(o->accounts.at[i].name)),
                            &o->accounts.at[i].imports);
    }
    check_cycles(&m);
    mem_free(m.is_configured);
    if (m.st != ST_OK) {
        tenancy_unref(m.t);
        return m.st;
    }
    give_system_services(&m);
    *out = m.t;
    return ST_OK;
}
