/* SPDX-License-Identifier: Apache-2.0 */
/* What accounts may ask about themselves, and the system account about all of them (spec 06 §6.5).
 */
#include "base/attr.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_field.h"
#include "base/mem.h"
#include "broker/account.h"
#include "broker/accounts.h"
#include "broker/index.h"
#include "broker/sub.h"
#include "broker/tenancy.h"
#include "io/worker.h"
#include "monitor/account_stats.h"
#include "monitor/facts.h"
#include "monitor/monitor.h"
#include "proto/subject.h"
#include "system/account_watch.h"
#include "system/request.h"
#include "system/services.h"
#include "system/system.h"

static struct account *find_account(const struct request *r, struct str name)
{
    const struct monitor *m = r->system->monitor;

    return tenancy_find(m->tenancy, name) ? accounts_find(m->accounts, name) : NULL;
}

/* ---- CONNS ---- */

void serve_conns(struct request *r)
{
    static const struct json_field fields[] = {{.name = "acc", .kind = JSON_FIELD_STR}};
    const struct account *a = find_account(r, request_account(r));
    struct str named = {0};
    struct buf text = {0};
    bool is_meant = !r->payload.n ||
                    json_field_read_text(r->payload, fields, ARRAY_SIZE(fields), &named, &text);

    is_meant = is_meant && (!named.n || str_equal(named, request_account(r)));
    json_field_free(&named);
    text.n = 0;
    if (is_meant && a && !account_stats_is_idle(a)) {
        account_watch_write(r->system, a, atomic_load(&a->n_clients), &text);
        request_reply(r, buf_str(&text));
    } else {
        request_drop(r);
    }
    buf_deinit(&text);
}

/* ---- STATZ ---- */

/* @return  whether there was anything to tell of the account */
static bool add_account(const struct request *r, struct json *j, struct str name, bool even_idle)
{
    const struct account *a = find_account(r, name);

    if (!a || (account_stats_is_idle(a) && !even_idle)) {
        return false;
    }
    json_open_object(j);
    account_stats_write(j, a, atomic_load(&a->n_clients));
    json_close_object(j);
    return true;
}

/** Accounts that a request names. */
struct named_accounts {
    const struct tenancy *tenancy;
    bool *is_named; // by place in the tenancy; NULL: none were named
};

static bool read_accounts(struct json_reader *r, void *at)
{
    struct named_accounts *named = at;
    const struct tenancy *t = named->tenancy;
    struct buf name = {0};

    if (!named->is_named) {
        named->is_named = mem_zalloc(t->n * sizeof(named->is_named[0]));
    }
    while (json_read_element(r)) {
        const struct tenant *found;

        name.n = 0;
        if (!json_read_str(r, &name)) {
            break;
        }
        found = tenancy_find(t, buf_str(&name));
        if (found) {
            named->is_named[found - t->at] = true;
        }
    }
    buf_deinit(&name);
    return r->token != JSON_BAD;
}

struct statz_options {
    struct named_accounts accounts;
    bool include_unused;
};

static const struct json_field statz_fields[] = {
    JSON_FIELD_BY("accounts", struct statz_options, accounts, read_accounts),
    JSON_FIELD("include_unused", struct statz_options, include_unused),
};

/* @return  whether that is worth an answer */
static bool write_statz(const struct request *r, const struct statz_options *o, struct buf *out)
{
    const struct tenancy *t = r->system->monitor->tenancy;
    struct str of = request_account(r);
    bool is_of_all = str_equal(of, STR("PING"));
    struct json j = json_to(out);
    bool is_any = false;

    json_open_object(&j);
    json_add_str(&j, "server_id", r->system->monitor->facts->server_id);
    json_add_time(&j, "now", clock_wall_ns());
    json_key(&j, "account_statz");
    json_open_array(&j);
    for (size_t i = 0; i < t->n; i++) {
        bool is_named = !o->accounts.is_named || o->accounts.is_named[i];

        if (is_of_all ? is_named : str_equal(t->at[i].name, of)) {
            is_any |= add_account(r, &j, t->at[i].name, o->include_unused);
        }
    }
    json_close_array(&j);
    json_close_object(&j);
    return is_any || o->include_unused;
}

void serve_statz(struct request *r)
{
    struct statz_options o = {.accounts.tenancy = r->system->monitor->tenancy};
    struct buf text = {0};
    struct buf why = {0};

    if (!request_is_meant(r)) {
        return;
    }
    if (r->payload.n &&
        !json_field_read_text(r->payload, statz_fields, ARRAY_SIZE(statz_fields), &o, &why)) {
        request_fail(r, 400, buf_str(&why), false);
    } else if (write_statz(r, &o, &text)) {
        request_answer(r, buf_str(&text));
    } else {
        request_drop(r);
    }
    mem_free(o.accounts.is_named);
    buf_deinit(&text);
    buf_deinit(&why);
}

/* ---- JSZ ---- */

void serve_account_jsz(struct request *r)
{
    if (request_is_meant(r)) {
        request_fail(r, 500, STR("jetstream not enabled"), true);
    }
}

/* ---- NSUBS ---- */

struct nsubs_options {
    struct str account, subject, queue; // the queue in base64
};

static void count_subs(struct request *r, const struct nsubs_options *o)
{
    const struct account *a = find_account(r, o->account);
    struct buf queue = {0};
    struct buf text = {0};

    if (a && !account_stats_is_idle(a) && base64_decode(o->queue, &queue)) {
        const struct index_census census = {
            .subject = o->subject, .queue = buf_str(&queue), .counts = sub_is_of_client};

        buf_printf(&text, "%llu",
                   (unsigned long long)index_count_matches(
                       a->index, r->system->monitor->control->index, &census));
        request_reply(r, buf_str(&text));
    } else {
        request_drop(r);
    }
    buf_deinit(&queue);
    buf_deinit(&text);
}

void serve_nsubs(struct request *r)
{
    static const struct json_field fields[] = {JSON_FIELD("acc", struct nsubs_options, account),
                                               JSON_FIELD("subject", struct nsubs_options, subject),
                                               JSON_FIELD("queue", struct nsubs_options, queue)};
    struct nsubs_options o = {0};
    struct buf why = {0};

    if (json_field_read_text(r->payload, fields, ARRAY_SIZE(fields), &o, &why)) {
        count_subs(r, &o);
    } else {
        request_drop(r);
    }
    json_field_free(&o.account);
    json_field_free(&o.subject);
    json_field_free(&o.queue);
    buf_deinit(&why);
}

/* ---- CLAIMS.UPDATE ---- */

void serve_claims_update(struct request *r)
{
    if (r->payload.n == 0) {
        request_fail_account(r, 500, STR("jwt update error - request body is empty"));
    } else if (subject_count_tokens(r->payload) != 3) {
        request_fail_account(r, 500, STR("jwt update resulted in error - expected 3 chunks"));
    } else {
        request_fail_account(r, 500,
                             STR("jwt update resulted in error - accounts are not made of JWTs"));
    }
}
