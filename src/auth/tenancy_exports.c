/* SPDX-License-Identifier: Apache-2.0 */
/* What accounts offer. An export that is configured twice is one: its accounts add up, other terms
 * are those of the last one that has them. */
#include <stdint.h>

#include "auth/tenancy_priv.h"
#include "base/quote.h"
#include "broker/tenancy.h"
#include "proto/pattern.h"
#include "proto/subject.h"

static const char *export_kind(bool is_service)
{
    return is_service ? "service export" : "stream export";
}

const struct export *tenancy_find_export(const struct tenant *t, bool is_service,
                                         struct str subject)
{
    for (size_t i = 0; i < t->n_exports; i++) {
        if (t->exports[i].is_service == is_service && str_equal(t->exports[i].subject, subject)) {
            return &t->exports[i];
        }
    }
    return NULL;
}

struct str tenancy_token_at(struct str subject, int64_t position)
{
    struct str token = {0};

    for (int64_t i = 0; i < position && subject.p; i++) {
        token = subject_next_token(&subject);
        token = i + 1 == position ? token : (struct str){0};
    }
    return token;
}

/* Adds those accounts that exist to the ones that may import. */
static void add_approved(struct tenancy_maker *m, struct export *e, const struct option_list *names)
{
    struct str *all = arena_alloc(&m->t->arena, (e->n_accounts + names->n) * sizeof(*all));
    size_t n = 0;

    for (; n < e->n_accounts; n++) {
        all[n] = e->accounts[n];
    }
    for (size_t i = 0; i < names->n; i++) {
        const struct tenant *t = tenancy_find_configured(m, str_of(names->at[i]));

        if (t) {
            all[n++] = t->name;
        } else {
            tenancy_refuse_account(m, names->at[i], export_kind(e->is_service));
        }
    }
    e->accounts = all;
    e->n_accounts = n;
}

/* @return  what is wrong with the subject for metrics of a service; NULL: nothing */
static const char *judge_latency(const struct tenant *t, const struct export *e, struct str subject)
{
    if (!pattern_is_valid(subject) || pattern_has_wildcard(subject) ||
        pattern_covers(e->subject, subject)) {
        return "invalid publish subject";
    }
    for (size_t i = 0; i < t->n_exports; i++) {
        if (t->exports[i].is_service && pattern_covers(t->exports[i].subject, subject)) {
            return "invalid publish subject";
        }
    }
    return e->response == RESPONSE_SINGLETON ? NULL : "bad service response type";
}

static void set_latency(struct tenancy_maker *m, const struct tenant *t, struct export *e,
                        const struct latency_options *l)
{
    struct str subject = str_of(l->subject);
    const char *wrong = tenancy_wants_system(m) ? judge_latency(t, e, subject) : "";
    struct buf text = {0};

    e->latency =
        (struct latency_rule){.subject = arena_str(&m->t->arena, subject), .sampling = l->sampling};
    if (!wrong) {
        return;
    }
    buf_add(&text, STR("Error adding service latency sampling for "));
    quote_go(&text, e->subject);
    if (wrong[0]) {
        buf_add(&text, STR(" on subject "));
        quote_go(&text, subject);
    }
    diag_error(m->d, m->at, "%.*s: %s", STR_ARG(buf_str(&text)),
               wrong[0] ? wrong : "system account not setup");
    buf_deinit(&text);
    m->st = ST_FAILED;
}

static void add_export(struct tenancy_maker *m, struct tenant *t, const struct export_options *o)
{
    bool is_service = o->service[0] != '\0';
    struct str subject = str_of(is_service ? o->service : o->stream);
    struct export *list = (struct export *)(uintptr_t)t->exports;
    const struct export *twin = tenancy_find_export(t, is_service, subject);
    struct export *e = &list[twin ? (size_t)(twin - list) : t->n_exports];

    if (!twin) {
        *e = (struct export){.subject = arena_str(&m->t->arena, subject), .is_service = is_service};
    }
    add_approved(m, e, &o->accounts);
    if (o->account_token && !str_equal(tenancy_token_at(subject, o->account_token), STR("*"))) {
        tenancy_refuse(m, export_kind(is_service), subject, STR(INVALID_SUBJECT));
        return;
    }
    if (o->account_token || o->accounts.n) {
        e->account_token = (uint32_t)o->account_token;
    }
    e->is_public = !e->n_accounts && !e->account_token;
    e->response = o->response ? o->response : e->response;
    e->threshold_ns = o->threshold_ns;
    e->allow_trace |= o->allow_trace;
    if (o->latency.subject) {
        set_latency(m, t, e, &o->latency);
    }
    if (!twin && pattern_is_valid(subject)) { // else nobody can import it
        t->n_exports++;
    }
}

void tenancy_add_exports(struct tenancy_maker *m, struct tenant *t, const struct export_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->at[i].stream[0] || l->at[i].service[0]) {
            add_export(m, t, &l->at[i]);
        }
    }
}
