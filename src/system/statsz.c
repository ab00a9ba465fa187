/* SPDX-License-Identifier: Apache-2.0 */
/* Often at first, so that others learn soon of a server that has started, then seldom. */
#include "system/statsz.h"

#include "base/attr.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/process.h"
#include "broker/account.h"
#include "broker/accounts.h"
#include "broker/index.h"
#include "broker/server_block.h"
#include "conn/conn_stats.h"
#include "io/worker.h"
#include "monitor/data_stats.h"
#include "monitor/facts.h"
#include "monitor/monitor.h"
#include "system/request.h"
#include "system/services.h"
#include "system/system.h"

#define FIRST_NS (250 * CLOCK_MS_NS)
#define MIN_INTERVAL_NS CLOCK_SEC_NS
#define MIN_GAP_NS (900 * CLOCK_MS_NS)
#define MAX_INTERVAL_NS (10 * CLOCK_SEC_NS)

/* ---- the document ---- */

static int64_t count_active_accounts(const struct monitor *m)
{
    size_t n;
    struct account **accounts = accounts_list(m->accounts, &n);
    int64_t n_active = 0;

    for (size_t i = 0; i < n; i++) {
        n_active += atomic_load(&accounts[i]->n_clients) > 0;
    }
    mem_free(accounts);
    return n_active;
}

/* Nothing where nothing happened. */
static void opt_kinds(struct json *j, const char *key, uint64_t n_clients)
{
    if (n_clients) {
        data_stats_write_kinds(j, key, n_clients);
    }
}

static void write_sums(struct json *j, const struct monitor *m)
{
    const struct conn_stats *c = m->clients;
    struct traffic t = monitor_traffic(m);

    json_add_int(j, "connections", atomic_load(&c->n_open));
    json_add_uint(j, "total_connections", atomic_load(&c->n_total));
    json_add_int(j, "active_accounts", count_active_accounts(m));
    json_add_uint(j, "subscriptions", monitor_count_subs(m));
    data_stats_write(j, "sent", t.out_msgs, t.out_bytes);
    data_stats_write(j, "sent_to_clients", t.out_msgs, t.out_bytes);
    data_stats_write(j, "received", t.in_msgs, t.in_bytes);
    data_stats_write(j, "received_from_clients", t.in_msgs, t.in_bytes);
    json_add_uint(j, "slow_consumers", monitor_count_slow(m));
    opt_kinds(j, "slow_consumer_stats", monitor_count_slow(m));
    json_opt_uint(j, "stale_connections", atomic_load(&c->n_stale));
    opt_kinds(j, "stale_connection_stats", atomic_load(&c->n_stale));
    json_opt_uint(j, "stalled_clients", atomic_load(&c->n_stalls));
}

void statsz_write(struct system *s, struct buf *out)
{
    const struct monitor *m = s->monitor;
    struct json j = json_to(out);

    json_open_object(&j);
    json_key(&j, "server");
    server_block_write(m->block, &j);
    json_key(&j, "statsz");
    json_open_object(&j);
    json_add_time(&j, "start", m->start_ns);
    json_add_uint(&j, "mem", process_resident_bytes());
    json_add_int(&j, "cores", worker_count_cores());
    json_add_real(&j, "cpu", m->cpu.percent);
    write_sums(&j, m);
    json_add_int(&j, "active_servers", 1);
    json_add_int(&j, "gomaxprocs", m->n_workers);
    json_close_object(&j);
    json_close_object(&j);
}

void serve_statsz(struct request *r)
{
    struct buf text = {0};

    if (!request_is_meant(r)) {
        return;
    }
    if (r->reply.n) {
        statsz_write(r->system, &text);
        request_reply(r, buf_str(&text));
        buf_deinit(&text);
    } else {
        statsz_broadcast(r->system);
        request_drop(r);
    }
}

/* ---- the schedule ---- */

/* Nobody there: it is not even counted, so that a server alone keeps quiet (E-16). */
void statsz_broadcast(struct system *s)
{
    struct buf subject = {0};
    struct buf text = {0};

    buf_printf(&subject, "$SYS.SERVER.%.*s.STATSZ", STR_ARG(s->monitor->facts->server_id));
    if (index_has_interest(s->account->index, s->monitor->control->index, buf_str(&subject)) &&
        outbox_has_room(&s->outbox)) {
        statsz_write(s, &text);
        outbox_post(&s->outbox, s->account, buf_str(&subject), (struct str){0}, buf_str(&text));
        s->statsz.sent_ns = clock_now_ns();
    }
    buf_deinit(&subject);
    buf_deinit(&text);
}

static void on_due(struct timer *t)
{
    struct statsz *z = CONTAINER_OF(t, struct statsz, timer);
    struct monitor *m = z->system->monitor;
    int64_t now = clock_now_ns();

    if (m->is_stopping) {
        return;
    }
    if (now - z->sent_ns >= MIN_GAP_NS) { // else somebody has just had it told
        statsz_broadcast(z->system);
    }
    worker_set_timer(m->control, t, t->due_ns + z->interval_ns);
    z->interval_ns = z->interval_ns * 2 < MAX_INTERVAL_NS ? z->interval_ns * 2 : MAX_INTERVAL_NS;
}

void statsz_start(struct system *s)
{
    s->statsz = (struct statsz){.system = s,
                                .timer.fire = on_due,
                                .interval_ns = MIN_INTERVAL_NS,
                                .sent_ns = INT64_MIN / 2};
    worker_set_timer(s->monitor->control, &s->statsz.timer, clock_now_ns() + FIRST_NS);
}
