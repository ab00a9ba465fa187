/* SPDX-License-Identifier: Apache-2.0 */
/* Closed connections are shown somewhat differently than open ones, as the reference does: their
 * subscriptions have an account, those of the global account no tag. */
#include "monitor/connz_entry.h"

#include "base/clock.h"
#include "broker/account.h"
#include "conn/close_reason.h"
#include "conn/conn_report.h"

static bool is_closed(const struct conn_report *r)
{
    return r->stop_ns != 0;
}

/* As Go prints it; of what is below a millisecond whole microseconds. */
static void add_rtt(struct json *j, int64_t rtt_ns)
{
    char text[CLOCK_DURATION_MAX];

    if (rtt_ns >= 1000 && rtt_ns < CLOCK_MS_NS) {
        rtt_ns -= rtt_ns % 1000;
    }
    clock_format_duration(rtt_ns, text);
    json_add_str(j, "rtt", str_of(text));
}

static void add_lasting(struct json *j, const char *key, int64_t ns)
{
    char text[CLOCK_UPTIME_MAX];
    size_t n = clock_format_uptime(ns, text);

    json_add_str(j, key, (struct str){.p = text, .n = n});
}

static void write_times(struct json *j, const struct conn_report *r, const struct connz_style *s)
{
    int64_t until_ns = is_closed(r) ? r->stop_ns : s->now_ns;

    json_add_time(j, "start", r->start_ns);
    json_add_time(j, "last_activity", r->last_active_ns);
    if (is_closed(r)) {
        json_add_time(j, "stop", r->stop_ns);
        json_add_str(j, "reason", str_of(close_reason_text(r->reason)));
    }
    add_rtt(j, r->rtt_ns);
    add_lasting(j, "uptime", until_ns - r->start_ns);
    add_lasting(j, "idle", until_ns - r->last_active_ns);
}

static void write_counters(struct json *j, const struct conn_report *r)
{
    json_add_uint(j, "pending_bytes", r->pending_bytes);
    json_add_uint(j, "in_msgs", r->in_msgs);
    json_add_uint(j, "out_msgs", r->out_msgs);
    json_add_uint(j, "in_bytes", r->in_bytes);
    json_add_uint(j, "out_bytes", r->out_bytes);
    json_opt_uint(j, "stalls", r->n_stalls);
    json_add_uint(j, "subscriptions", r->n_subs);
}

static void write_certs(struct json *j, const struct conn_report *r)
{
    if (r->n_certs == 0) {
        return;
    }
    json_key(j, "tls_peer_certs");
    json_open_array(j);
    for (size_t i = 0; i < r->n_certs; i++) {
        json_open_object(j);
        json_opt_str(j, "subject", r->certs[i].subject);
        json_opt_str(j, "spki_sha256", r->certs[i].spki_sha256);
        json_opt_str(j, "cert_sha256", r->certs[i].cert_sha256);
        json_close_object(j);
    }
    json_close_array(j);
}

static void write_login(struct json *j, const struct conn_report *r)
{
    bool is_global = str_equal(r->account, STR(ACCOUNT_GLOBAL));

    write_certs(j, r);
    json_opt_str(j, "authorized_user", r->user);
    json_opt_str(j, "account", is_global ? (struct str){0} : r->account);
    json_opt_str(j, "name_tag", is_global && is_closed(r) ? (struct str){0} : r->account);
}

static void write_proxy(struct json *j, const struct conn_report *r)
{
    if (r->proxy_key.n) {
        json_key(j, "proxy");
        json_open_object(j);
        json_add_str(j, "key", r->proxy_key);
        json_close_object(j);
    }
}

void connz_entry_open(struct json *j, const struct conn_report *r, const struct connz_style *s)
{
    json_open_object(j);
    json_add_uint(j, "cid", r->cid);
    json_opt_str(j, "kind", str_of(r->kind));
    json_opt_str(j, "type", str_of(r->type));
    json_add_str(j, "ip", r->ip);
    json_add_int(j, "port", r->port);
    write_times(j, r, s);
    write_counters(j, r);
    json_opt_str(j, "name", r->name);
    json_opt_str(j, "lang", r->lang);
    json_opt_str(j, "version", r->version);
    json_opt_str(j, "tls_version", r->tls_version);
    json_opt_str(j, "tls_cipher_suite", r->tls_cipher);
    json_opt_bool(j, "tls_first", r->is_tls_first);
    if (s->with_auth) {
        write_login(j, r);
    }
    write_proxy(j, r);
}

void connz_entry_open_list(struct json *j, const struct connz_style *s)
{
    json_key(j, s->subs == DOC_DETAIL_ALL ? "subscriptions_list_detail" : "subscriptions_list");
    json_open_array(j);
}

void connz_entry_write_sub(struct json *j, const struct conn_report_sub *sub, uint64_t cid,
                           struct str account)
{
    json_open_object(j);
    json_opt_str(j, "account", account);
    json_opt_str(j, "account_tag", account);
    json_add_str(j, "subject", sub->subject);
    json_opt_str(j, "qgroup", sub->queue);
    json_add_str(j, "sid", sub->sid);
    json_add_uint(j, "msgs", sub->n_msgs);
    json_opt_uint(j, "max", sub->max);
    json_add_uint(j, "cid", cid);
    json_close_object(j);
}

void connz_entry_write_subs(struct json *j, const struct conn_report *r,
                            const struct connz_style *s)
{
    struct str account = is_closed(r) ? r->account : (struct str){0};

    for (size_t i = 0; i < r->n_listed_subs; i++) {
        if (s->subs == DOC_DETAIL_ALL) {
            connz_entry_write_sub(j, &r->subs[i], r->cid, account);
        } else {
            json_str(j, r->subs[i].subject);
        }
    }
}
