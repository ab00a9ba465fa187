/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is written that nobody would hear. */
#include "system/event.h"

#include <string.h>

#include "base/clock.h"
#include "broker/accounts.h"
#include "broker/party.h"
#include "broker/server_block.h"
#include "monitor/data_stats.h"
#include "monitor/facts.h"
#include "monitor/monitor.h"
#include "system/account_watch.h"
#include "system/system.h"

struct event_stamp event_new(struct system *s, const char *type, int64_t when_ns)
{
    struct event_stamp e = {.type = type, .when_ns = when_ns ? when_ns : clock_wall_ns()};

    memcpy(e.id, nuid_next(&s->nuid).p, NUID_CHARS);
    return e;
}

void event_open(struct system *s, const struct event_stamp *e, struct json *j)
{
    json_open_object(j);
    json_add_str(j, "type", str_of(e->type));
    json_add_str(j, "id", (struct str){.p = e->id, .n = NUID_CHARS});
    json_add_time(j, "timestamp", e->when_ns);
    json_key(j, "server");
    server_block_write(s->monitor->block, j);
}

/* ---- of connections ---- */

static void write_client(struct json *j, const struct conn_report *r, int64_t stop_ns)
{
    struct party p = {.start_ns = r->start_ns,
                      .host = r->ip,
                      .id = r->cid,
                      .account = r->account,
                      .user = r->user,
                      .name = r->name,
                      .lang = r->lang,
                      .version = r->version,
                      .rtt_ns = stop_ns ? r->rtt_ns : 0,
                      .stop_ns = stop_ns,
                      .name_tag = r->account,
                      .kind = str_of(r->kind),
                      .client_type = str_of(r->type)};

    json_key(j, "client");
    party_write(&p, j);
}

static void tell_connect(struct system *s, const struct conn_report *r, struct str subject)
{
    struct buf text = {0};
    struct json j = json_to(&text);

    if (outbox_wants(&s->outbox, s->account, subject)) {
        struct event_stamp e = event_new(s, EVENT_CONNECT, 0);

        event_open(s, &e, &j);
        write_client(&j, r, 0);
        json_close_object(&j);
        outbox_post(&s->outbox, s->account, subject, (struct str){0}, buf_str(&text));
        buf_deinit(&text);
    }
}

/* That it is gone, or is about to go. */
static void tell_end(struct system *s, const struct conn_report *r, struct account *in,
                     struct str subject)
{
    struct buf text = {0};
    struct json j = json_to(&text);

    if (outbox_wants(&s->outbox, in, subject)) {
        struct event_stamp e = event_new(s, EVENT_DISCONNECT, r->stop_ns);

        event_open(s, &e, &j);
        write_client(&j, r, e.when_ns);
        data_stats_write(&j, "sent", r->in_msgs, r->in_bytes);
        data_stats_write(&j, "received", r->out_msgs, r->out_bytes);
        json_add_str(&j, "reason", str_of(close_reason_text(r->reason)));
        json_close_object(&j);
        outbox_post(&s->outbox, in, subject, (struct str){0}, buf_str(&text));
        buf_deinit(&text);
    }
}

/* "$SYS.ACCOUNT.A.CONNECT" */
static struct str account_subject(struct buf *out, struct str account, const char *what)
{
    out->n = 0;
    buf_add(out, STR("$SYS.ACCOUNT."));
    buf_add(out, account);
    buf_add_char(out, '.');
    buf_add(out, str_of(what));
    return buf_str(out);
}

/* "$SYS.SERVER.N….SHUTDOWN" */
static struct str server_subject(const struct system *s, struct buf *out, const char *what)
{
    out->n = 0;
    buf_printf(out, "$SYS.SERVER.%.*s.%s", STR_ARG(s->monitor->facts->server_id), what);
    return buf_str(out);
}

void event_on_conn(void *arg, enum conn_event event, const struct conn_report *r)
{
    struct system *s = arg;
    struct account *a = accounts_find(s->monitor->accounts, r->account);
    struct buf subject = {0};

    switch (event) {
    case CONN_ENTERED:
        account_watch_count(s, a, 1);
        tell_connect(s, r, account_subject(&subject, r->account, "CONNECT"));
        break;
    case CONN_LEFT:
        account_watch_count(s, a, -1);
        break;
    case CONN_RENEWED:
        account_watch_count(s, a, -1);
        account_watch_count(s, a, 1);
        tell_connect(s, r, account_subject(&subject, r->account, "CONNECT"));
        break;
    case CONN_REFUSED:
        tell_end(s, r, a, STR("$SYS.ACCOUNT.CLIENT.AUTH.ERR"));
        tell_end(s, r, s->account, server_subject(s, &subject, "CLIENT.AUTH.ERR"));
        break;
    case CONN_BARRED:
        tell_end(s, r, s->account, server_subject(s, &subject, "CLIENT.AUTH.ERR"));
        break;
    case CONN_CLOSED:
        if (r->is_in) {
            account_watch_count(s, a, -1);
        }
        tell_end(s, r, s->account, account_subject(&subject, r->account, "DISCONNECT"));
        break;
    }
    buf_deinit(&subject);
}

void event_announce(struct system *s, const char *what)
{
    struct buf subject = {0};
    struct buf text = {0};
    struct json j = json_to(&text);

    if (outbox_wants(&s->outbox, s->account, server_subject(s, &subject, what))) {
        server_block_write(s->monitor->block, &j);
        outbox_post(&s->outbox, s->account, buf_str(&subject), (struct str){0}, buf_str(&text));
    }
    buf_deinit(&subject);
    buf_deinit(&text);
}
