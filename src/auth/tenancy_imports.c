/* SPDX-License-Identifier: Apache-2.0 */
/* What accounts take of each other, each import judged by itself: authorised by an export, its
 * subjects fit, it is there once. */
#include <stdint.h>

#include "auth/tenancy_priv.h"
#include "base/quote.h"
#include "broker/tenancy.h"
#include "broker/transform.h"
#include "proto/pattern.h"

static bool allows(const struct export *e, struct str account, struct str subject)
{
    bool is_listed = e->is_public;

    if (e->account_token) {
        return str_equal(tenancy_token_at(subject, e->account_token), account);
    }
    for (size_t i = 0; i < e->n_accounts && !is_listed; i++) {
        is_listed = str_equal(e->accounts[i], account);
    }
    return is_listed;
}

/* The export that allows an import: that of the same text if there is one, else any that covers
 * it. */
static const struct export *find_allowing(const struct import *i, struct str account)
{
    const struct tenant *t = i->from;
    const struct export *same = tenancy_find_export(t, i->is_service, i->subject);

    if (same) {
        return allows(same, account, i->subject) ? same : NULL;
    }
    for (const struct export *e = t->exports; e < t->exports + t->n_exports; e++) {
        if (e->is_service == i->is_service && pattern_covers(e->subject, i->subject) &&
            allows(e, account, i->subject)) {
            return e;
        }
    }
    return NULL;
}

/* Whether messages of the subject can be given the local one. */
static bool can_become(struct str subject, struct str local)
{
    return pattern_is_valid(local) &&
           (pattern_has_wildcard(subject) || !pattern_has_wildcard(local));
}

static enum status judge_stream(struct import *i, const struct tenant *t,
                                const struct import_options *o, struct buf *why)
{
    i->export = pattern_is_valid(i->subject) ? find_allowing(i, t->name) : NULL;
    if (!i->export) {
        buf_add(why, STR("stream import not authorized"));
    } else if (pattern_has_wildcard(str_of(o->prefix))) {
        buf_add(why, STR("stream import prefix can not contain wildcard tokens"));
    } else if (i->to.n && !pattern_has_wildcard(i->subject) && !can_become(i->subject, i->to)) {
        buf_add(why, STR(INVALID_SUBJECT));
    }
    return why->n ? ST_FAILED : ST_OK;
}

static enum status judge_service(struct import *i, const struct tenant *t, struct buf *why)
{
    if (!pattern_is_valid(i->subject) || (i->to.n && !pattern_is_valid(i->to))) {
        buf_add(why, STR(INVALID_SUBJECT));
        return ST_FAILED;
    }
    i->export = find_allowing(i, t->name);
    if (!i->export) {
        buf_add(why, STR("service import not authorized"));
    }
    return why->n ? ST_FAILED : ST_OK;
}

static enum status compile(struct import *i, struct buf *why)
{
    struct buf wrong = {0};
    enum status st = transform_pair_init(i->subject, i->to, &i->transforms, &wrong);

    if (st != ST_OK) {
        buf_printf(why, "failed to create mapping transform for %s import subject from ",
                   i->is_service ? "service" : "stream");
        quote_go(why, i->is_service ? i->to : i->subject);
        buf_add(why, STR(" to "));
        quote_go(why, i->is_service ? i->subject : i->to);
        buf_add(why, STR(": "));
        buf_add(why, buf_str(&wrong));
    }
    buf_deinit(&wrong);
    return st;
}

const struct import *tenancy_find_twin(const struct tenant *t, const struct import *i)
{
    for (const struct import *o = t->imports; o < t->imports + t->n_imports; o++) {
        if (o->from == i->from && o->is_service == i->is_service &&
            (i->is_service ? str_equal(o->local, i->local) : str_equal(o->subject, i->subject))) {
            return o;
        }
    }
    return NULL;
}

static enum status judge_twin(const struct import *i, const struct tenant *t, struct buf *why)
{
    const struct import *twin = tenancy_find_twin(t, i);

    if (twin && !i->is_service) {
        buf_add(why, STR("stream import already exists"));
    } else if (twin) {
        buf_add(why, STR("duplicate service import subject "));
        quote_go(why, i->local);
        buf_add(why, STR(", previously used in import for account "));
        quote_go(why, i->from->name);
        buf_add(why, STR(", subject "));
        quote_go(why, twin->subject);
    }
    return twin ? ST_FAILED : ST_OK;
}

/* The subject in the importing account, as configured; empty: that of the exporting one. */
static struct str target_of(struct tenancy_maker *m, const struct import_options *o)
{
    struct buf to = {0};
    struct str result = {0};

    if (!o->is_service && o->prefix[0]) {
        struct str prefix = str_of(o->prefix);
        bool has_dot = prefix.p[prefix.n - 1] == '.';

        buf_printf(&to, "%s%s%s", o->prefix, has_dot ? "" : ".", o->subject);
    } else if (o->to[0] && strcmp(o->to, o->subject) != 0) {
        buf_add(&to, str_of(o->to));
    }
    if (to.n) {
        result = arena_str(&m->t->arena, buf_str(&to));
    }
    buf_deinit(&to);
    return result;
}

/* Adds an import that has its subjects. */
static enum status add_judged(struct tenant *t, struct import *i, const struct import_options *o,
                              struct buf *why)
{
    struct import *list = (struct import *)(uintptr_t)t->imports;
    enum status st = i->is_service ? judge_service(i, t, why) : judge_stream(i, t, o, why);

    i->local = i->subject;
    if (st == ST_OK && i->to.n) {
        st = compile(i, why);
        i->local = buf_str(&i->transforms.local);
    }
    if (st == ST_OK) {
        st = judge_twin(i, t, why);
    }
    if (st == ST_OK) {
        list[t->n_imports++] = *i;
    } else {
        transform_pair_deinit(&i->transforms);
    }
    return st;
}

static void add_import(struct tenancy_maker *m, struct tenant *t, const struct import_options *o)
{
    const char *kind = o->is_service ? "service import" : "stream import";
    struct str subject = str_of(o->subject);
    struct import i = {.from = tenancy_find_configured(m, str_of(o->account)),
                       .subject = arena_str(&m->t->arena, subject),
                       .to = target_of(m, o),
                       .is_service = o->is_service,
                       .share = o->is_service && o->share,
                       .allow_trace = !o->is_service && o->allow_trace};
    struct buf why = {0};

    if (!i.from) {
        tenancy_refuse_account(m, o->account, kind);
    } else if (add_judged(t, &i, o, &why) != ST_OK) {
        tenancy_refuse(m, kind, subject, buf_str(&why));
    }
    buf_deinit(&why);
}

void tenancy_add_imports(struct tenancy_maker *m, struct tenant *t, const struct import_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->at[i].subject[0]) {
            add_import(m, t, &l->at[i]);
        }
    }
}
