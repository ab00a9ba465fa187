/* SPDX-License-Identifier: Apache-2.0 */
/* What it exports and imports is in the tenancy; mappings are told as the configuration has them,
 * as those in force know only what they do. */
#include "monitor/account_detail.h"

#include "auth/auth_options.h"
#include "base/json.h"
#include "broker/account.h"
#include "broker/accounts.h"
#include "broker/index.h"
#include "broker/tenancy.h"
#include "monitor/facts.h"
#include "monitor/monitor.h"
#include "monitor/sublist_stats.h"

/* ---- mappings */

static const struct mapping_list *find_mappings(const struct auth_options *o, struct str account)
{
    for (size_t i = 0; i < o->accounts.n; i++) {
        if (str_equal(str_of(o->accounts.at[i].name), account)) {
            return &o->accounts.at[i].mappings;
        }
    }
    return str_equal(account, STR("$G")) ? &o->mappings : NULL;
}

static void write_dests(struct json *j, const struct mapping_options *o)
{
    json_open_array(j);
    for (size_t i = 0; i < o->n; i++) {
        json_open_object(j);
        json_add_str(j, "subject", o->dests[i].subject);
        json_add_uint(j, "weight", o->dests[i].weight);
        json_opt_str(j, "cluster", o->dests[i].cluster);
        json_close_object(j);
    }
    json_close_array(j);
}

static void write_mappings(struct json *j, const struct mapping_list *l)
{
    if (!l || l->n == 0) {
        return;
    }
    json_key(j, "mappings");
    json_open_object(j);
    for (size_t i = 0; i < l->n; i++) {
        json_key(j, l->at[i].source.p); // ends with a NUL, as all strings of an arena
        write_dests(j, &l->at[i]);
    }
    json_close_object(j);
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

    json_open_object(j);
    json_add_str(j, "account_name", t->name);
    json_add_time(j, "update_time", m->facts->config_load_ns);
    json_opt_bool(j, "is_system", t->is_system);
    json_add_bool(j, "expired", false);
    json_add_bool(j, "complete", true);
    json_add_bool(j, "jetstream_enabled", false);
    write_live(j, a);
    write_mappings(j, find_mappings(m->facts->auth, t->name));
    write_links(j, t);
    json_add_str(j, "name_tag", t->name);
    write_stats(j, a);
    json_close_object(j);
}
