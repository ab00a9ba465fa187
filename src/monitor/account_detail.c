/* SPDX-License-Identifier: Apache-2.0 */
/* What it exports and imports is in the tenancy; mappings are told as the configuration has them,
 * as those in force know only what they do. */
#include "monitor/account_detail.h"

#include "auth/account_options.h"
#include "auth/auth_options.h"
#include "base/json.h"
#include "broker/account.h"
#include "broker/accounts.h"
#include "broker/index.h"
#include "broker/responses.h"
#include "broker/tenancy.h"
#include "monitor/account_mappings.h"
#include "monitor/facts.h"
#include "monitor/monitor.h"
#include "monitor/sublist_stats.h"

/** So many responses are listed, of what may be hundreds of thousands. */
#define MOST_RESPONSES 1000u
#define RESPONSE_IMPORT_TYPE 2

static const struct mapping_list *find_mappings(const struct auth_options *o, struct str account)
{
    const struct account_options *a = account_list_find(&o->accounts, account);

    if (a) {
        return &a->mappings;
    }
    return str_equal(account, STR(ACCOUNT_GLOBAL)) ? &o->mappings : NULL;
}

/* ---- exports and imports */

/* A sampling of 0 stands for what the headers of a request say. */
static void write_latency(struct json *j, const char *key, const struct latency_rule *l)
{
    if (l->subject.n == 0) {
        return;
    }
    json_key(j, key);
    json_open_object(j);
    if (l->sampling) {
        json_add_uint(j, "sampling", l->sampling);
    } else {
        json_add_str(j, "sampling", STR("headers"));
    }
    json_add_str(j, "results", l->subject);
    json_close_object(j);
}

static void write_approved(struct json *j, const struct export *e)
{
    if (e->is_public || e->n_accounts == 0) {
        return;
    }
    json_key(j, "approved_accounts");
    json_open_array(j);
    for (size_t i = 0; i < e->n_accounts; i++) {
        json_str(j, e->accounts[i]);
    }
    json_close_array(j);
}

static void write_export(struct json *j, const struct export *e)
{
    static const char *const responses[] = {[RESPONSE_SINGLETON] = "Singleton",
                                            [RESPONSE_STREAM] = "Streamed",
                                            [RESPONSE_CHUNKED] = "Chunked"};

    json_open_object(j);
    json_add_str(j, "subject", e->subject);
    json_add_str(j, "type", e->is_service ? STR("service") : STR("stream"));
    if (e->is_service) {
        json_add_str(j, "response_type", str_of(responses[e->response]));
        write_latency(j, "service_latency", &e->latency);
    }
    write_approved(j, e);
    json_close_object(j);
}

static void write_import(struct json *j, const struct import *i)
{
    json_open_object(j);
    json_add_str(j, "subject", i->subject);
    json_add_str(j, "account", i->from->name);
    if (i->is_service) {
        json_add_str(j, "to", i->local);
    }
    json_add_str(j, "local_subject", i->local);
    json_add_str(j, "type", i->is_service ? STR("service") : STR("stream"));
    json_add_bool(j, "invalid", false);
    json_add_bool(j, "share", i->share);
    json_add_bool(j, "tracking", false);
    if (i->is_service) {
        write_latency(j, "latency", &i->export->latency);
    }
    json_close_object(j);
}

static void write_links(struct json *j, const struct tenant *t)
{
    if (t->n_exports) {
        json_key(j, "exports");
        json_open_array(j);
        for (size_t i = 0; i < t->n_exports; i++) {
            write_export(j, &t->exports[i]);
        }
        json_close_array(j);
    }
    if (t->n_imports) {
        json_key(j, "imports");
        json_open_array(j);
        for (size_t i = 0; i < t->n_imports; i++) {
            write_import(j, &t->imports[i]);
        }
        json_close_array(j);
    }
}

/* ---- responses */

/* As an import, which it is to nats-server; its type is that of all of these. */
static void write_response(void *arg, const struct response_info *r)
{
    struct json *j = arg;
    struct buf subject = {0};

    buf_printf(&subject, "%.*s", STR_ARG(r->subject));
    buf_add_char(&subject, '\0');
    json_key(j, subject.p);
    json_open_object(j);
    json_add_str(j, "subject", r->reply);
    json_add_str(j, "account", str_of(r->requestor->name));
    json_add_str(j, "to", r->subject);
    json_add_str(j, "local_subject", r->subject);
    json_add_int(j, "type", RESPONSE_IMPORT_TYPE);
    json_add_bool(j, "invalid", false);
    json_add_bool(j, "share", r->is_shared);
    json_add_bool(j, "tracking", r->latency != NULL);
    json_opt_raw(j, "tracking_header", r->trace_headers);
    if (r->latency) {
        write_latency(j, "latency", r->latency);
    }
    json_close_object(j);
    buf_deinit(&subject);
}

static void write_responses(struct json *j, const struct account *a)
{
    if (!a || responses_count(a->responses) == 0) {
        return;
    }
    json_key(j, "responses");
    json_open_object(j);
    responses_list(a->responses, MOST_RESPONSES, write_response, j);
    json_close_object(j);
}

/* ---- all together */

static void write_live(struct json *j, const struct account *a)
{
    json_add_int(j, "leafnode_connections", 0);
    json_add_int(j, "client_connections", a ? atomic_load(&a->n_clients) : 0);
    json_add_uint(j, "subscriptions", a ? index_count(a->index) : 0);
}

static void write_stats(struct json *j, const struct account *a)
{
    struct sublist_stats s = {0};

    if (a) {
        sublist_stats_add(&s, a);
    }
    json_key(j, "sublist_stats");
    json_open_object(j);
    sublist_stats_write(j, &s);
    json_close_object(j);
}

void account_detail_write(struct json *j, const struct monitor *m, const struct tenant *t)
{
    const struct account *a = accounts_find(m->accounts, t->name);
    const struct mapping_list *mappings = find_mappings(m->facts->auth, t->name);

    json_open_object(j);
    json_add_str(j, "account_name", t->name);
    json_add_time(j, "update_time", m->facts->config_load_ns);
    json_opt_bool(j, "is_system", t->is_system);
    json_add_bool(j, "expired", false);
    json_add_bool(j, "complete", true);
    json_add_bool(j, "jetstream_enabled", false);
    write_live(j, a);
    if (mappings) {
        account_mappings_write(j, mappings);
    }
    write_links(j, t);
    json_add_str(j, "name_tag", t->name);
    write_stats(j, a);
    write_responses(j, a);
    json_close_object(j);
}
