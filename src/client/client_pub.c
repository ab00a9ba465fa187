/* SPDX-License-Identifier: Apache-2.0 */
/* PUB and HPUB (spec 01 §11, §13, §15, §17): the checks, the delivery, and what the publisher hears
 * of it. */
#include "base/clock.h"
#include "base/quote.h"
#include "broker/account.h"
#include "broker/deliver.h"
#include "broker/msg_origin.h"
#include "broker/rights.h"
#include "broker/trace.h"
#include "broker/trace_wish.h"
#include "client/client.h"
#include "io/worker.h"
#include "proto/header.h"
#include "proto/pattern.h"
#include "proto/subject.h"

#define STALL_HIGH_MS 2
#define STALL_FULL_MS 5
#define STALL_MAX_MS 10 // per batch of input

static bool is_longer_and_starts_with(struct str s, struct str prefix)
{
    return s.n > prefix.n && str_starts_with(s, prefix);
}

/* Subjects that only servers publish to; quick to rule out by their first byte. */
static bool is_reserved_subject(struct str s)
{
    if (LIKELY(s.n == 0 || (s.p[0] != '_' && s.p[0] != '$'))) {
        return false;
    }
    return is_longer_and_starts_with(s, STR("_GR_.")) ||
           is_longer_and_starts_with(s, STR("$GR.")) || str_starts_with(s, STR("$NRG."));
}

static bool is_reserved_reply(struct str s)
{
    if (LIKELY(s.n == 0 || (s.p[0] != '_' && s.p[0] != '$'))) {
        return false;
    }
    return str_starts_with(s, STR("_R_.")) || is_longer_and_starts_with(s, STR("$JS.ACK.")) ||
           is_longer_and_starts_with(s, STR("_GR_.")) || is_longer_and_starts_with(s, STR("$GR."));
}

/* @param t  of the message; NULL: it is not traced */
static void refuse_pub(struct client *c, struct trace *t, const char *text, struct str subject)
{
    struct buf quoted = {0};
    struct buf error = {0};

    quote_go(&quoted, subject);
    buf_printf(&error, "%s%.*s", text, STR_ARG(buf_str(&quoted)));
    client_send_error(c, "%.*s", STR_ARG(buf_str(&error)));
    client_log(c, LOG_ERR, "Publish Violation - Subject %.*s", STR_ARG(buf_str(&quoted)));
    if (t) {
        trace_fail(t, buf_str(&error));
    }
    buf_deinit(&quoted);
    buf_deinit(&error);
}

/* The last word of a line, which is taken off it. */
static struct str take_last_word(struct str *line)
{
    const char *start = line->p;
    const char *end = line->p + line->n;

    while (end > start && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    struct str word = {.p = end};
    while (word.p > start && word.p[-1] != ' ' && word.p[-1] != '\t') {
        word.p--;
        word.n++;
    }
    line->n = (size_t)(word.p - start);
    return word;
}

/* The publisher did not write the form in which a MSG or HMSG ends, so that is built here rather
 * than on demand: subscribers get its numbers as it wrote them ("PUB a\t007"), for what that is
 * worth. */
static void build_wire(struct client *c, struct op *op)
{
    struct buf *b = &c->home->delivery->wire;
    struct msg *m = &op->msg;
    struct str line = op->arg;
    struct str size = take_last_word(&line);
    struct str hdr_size = m->hdr.n ? take_last_word(&line) : (struct str){0};
    struct str parts[] = {m->reply, hdr_size, size};

    b->n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        if (parts[i].n) {
            buf_add(b, b->n ? STR(" ") : STR(""));
            buf_add(b, parts[i]);
        }
    }
    buf_add(b, STR("\r\n"));
    buf_add(b, m->hdr);
    buf_add(b, m->payload);
    buf_add(b, STR("\r\n"));
    m->wire = buf_str(b);
}

/* A plain subscription of this client that takes the reply; a queue subscription does not count. */
static struct sub *find_own_sub(struct client *c, struct str reply)
{
    struct match_hint hint = {0};
    const struct match *m = match_find(&c->home->delivery->cache, c->account, reply, &hint)->match;

    for (uint32_t i = 0; m && i < m->n_plain; i++) {
        if (m->subs[i]->owner == c->conn.handle) {
            return m->subs[i];
        }
    }
    return NULL;
}

/* Nobody was there to take a request: say so to the one who asked, at once. */
static void send_no_responders(struct client *c, const struct msg *m)
{
    struct sub *s = find_own_sub(c, m->reply);
    struct buf line = {0};

    if (!s) {
        return;
    }
    size_t n = sizeof("NATS/1.0 503\r\nNats-Subject: \r\n\r\n") - 1 + m->subject.n;
    buf_add(&line, STR("HMSG ")); // names may hold a NUL, where printf would stop
    buf_add(&line, m->reply);
    buf_add_char(&line, ' ');
    buf_add(&line, sub_sid(s));
    buf_printf(&line, " %zu %zu\r\nNATS/1.0 503\r\nNats-Subject: ", n, n);
    buf_add(&line, m->subject);
    buf_add(&line, STR("\r\n\r\n\r\n"));
    client_trace_out(c, "HMSG %.*s %.*s %zu %zu", STR_ARG(m->reply), STR_ARG(sub_sid(s)), n, n);
    conn_write(&c->conn, buf_str(&line));
    c->conn.out.n_msgs++;
    c->conn.out.n_msg_bytes += n;
    buf_deinit(&line);
}

/* A consumer is nearly full: do not read this producer for a while (spec 01 §20). */
static void stall(struct client *c)
{
    struct delivery *d = c->home->delivery;
    uint32_t ms = d->pressure == PRESSURE_FULL ? STALL_FULL_MS : STALL_HIGH_MS;

    d->pressure = PRESSURE_NONE;
    if (c->stalled_ms + ms <= STALL_MAX_MS) {
        static struct log_rate rate;
        char text[CLOCK_DURATION_MAX];
        char who[CONN_LABEL_MAX];

        c->stalled_ms += ms;
        atomic_fetch_add_explicit(&c->home->shared->stats.n_stalls, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&d->pressed->n_stalls, 1, memory_order_relaxed);
        conn_pause(&c->conn, ms * CLOCK_MS_NS);
        clock_format_duration(ms * CLOCK_MS_NS, text);
        c->conn.ops->label(&c->conn, who);
        log_limited(&rate, LOG_WRN, "%sProducer was stalled for a total of %s", who, text);
    }
}

/* ---- traces (spec 01 §25) */

/* Logs why a message is not traced, and what of it is to blame. */
static void log_untraced(struct client *c, const char *before, struct str what, const char *after)
{
    struct buf quoted = {0};

    quote_go(&quoted, what);
    client_log(c, LOG_ERR, "%s%.*s%s", before, STR_ARG(buf_str(&quoted)), after);
    buf_deinit(&quoted);
}

/* Nobody whom the message reaches is to trace it. */
static void disable_trace(struct client *c, struct msg *m)
{
    struct buf *hdr = &c->home->delivery->hdr;

    hdr->n = 0;
    header_replace(m->hdr, STR("Nats-Trace-Dest"), TRACE_DISABLED, hdr);
    m->hdr = buf_str(hdr);
    m->wire = (struct str){0};
}

/* The publisher must be allowed to publish there, too. @return  false: it is not, and was told */
static bool begin_trace(struct client *c, const struct msg *m, struct str dest, size_t msg_bytes)
{
    struct rights *r = c->rights;

    if (!pattern_is_valid(dest) || pattern_has_wildcard(dest)) {
        log_untraced(c, "Destination ", dest, " is not valid, won't be able to trace events");
        return true;
    }
    if (is_reserved_subject(dest) || (r && !perms_cached_may_publish(&r->cache, r->perms, dest))) {
        refuse_pub(c, NULL, "Permissions Violation for Publish to ", dest);
        return false;
    }
    c->origin.trace = trace_new(&c->origin, m, msg_bytes, dest);
    return true;
}

static void send_trace(struct client *c)
{
    trace_send(c->origin.trace, c->home->delivery);
    c->origin.trace = NULL;
}

/* A message with headers may ask for a trace. @return  false: it may not be published */
static bool look_for_trace(struct client *c, struct msg *m, size_t msg_bytes)
{
    struct str dest;

    switch (trace_wish(m->hdr, c->account, deliver_random(c->home->delivery), &dest)) {
    case TRACE_WISH_YES:
        return begin_trace(c, m, dest, msg_bytes);
    case TRACE_WISH_FORBIDDEN:
        log_untraced(
            c, "Message tracing disabled because of header \"" TRACE_WISH_ORIGIN "\" with value=",
            header_find(m->hdr, STR(TRACE_WISH_ORIGIN)), "");
        disable_trace(c, m);
        break;
    case TRACE_WISH_NOT_DRAWN:
        disable_trace(c, m);
        break;
    case TRACE_WISH_NONE:
        break;
    }
    return true;
}

void client_refuse_payload(struct client *c, struct msg *m)
{

    if (m->hdr.n) {
        look_for_trace(c, m, c->parser.need);
    }
    client_log(c, LOG_ERR, "maximum payload exceeded: %zu vs %lld", c->parser.need,
               (long long)c->parser.max_payload_bytes);
    client_send_error(c, "Maximum Payload Violation");
    conn_close(&c->conn, CLOSE_MAX_PAYLOAD_EXCEEDED);
    if (c->origin.trace) {
        trace_fail(c->origin.trace, STR("maximum payload exceeded"));
        send_trace(c);
    }
}

/* ---- publishing */

/* @return  what it reaches; NULL: it goes elsewhere now */
static inline struct match_entry *map(struct client *c, struct msg *m)
{
    struct delivery *d = c->home->delivery;
    struct match_entry *e = match_find(&d->cache, c->account, m->subject, &c->hint);

    if (LIKELY(!e->mapping)) {
        return e;
    }
    m->subject = deliver_map(d, e, m->subject);
    if (c->origin.trace) {
        trace_mapping(c->origin.trace, m->subject);
    }
    return NULL;
}

static inline bool may_publish(struct client *c, const struct msg *m)
{
    if (UNLIKELY(is_reserved_subject(m->subject)) ||
        (UNLIKELY(c->rights) && UNLIKELY(!rights_may_publish(c->rights, m->subject)))) {
        refuse_pub(c, m->origin->trace, "Permissions Violation for Publish to ", m->subject);
        return false;
    }
    if (UNLIKELY(is_reserved_reply(m->reply))) {
        refuse_pub(c, m->origin->trace, "Permissions Violation for Publish with Reply of ",
                   m->reply);
        return false;
    }
    return true;
}

static inline void publish(struct client *c, struct msg *m, struct match_entry *found)
{
    struct delivery *d = c->home->delivery;
    uint64_t except = c->echo ? HANDLE_NONE : c->conn.handle;

    if (UNLIKELY(c->verbose)) {
        client_send_ok(c);
    }
    size_t n = found ? deliver_found(d, c->account, m, except, found)
                     : deliver(d, c->account, m, except, &c->hint);
    if (n == 0 && c->no_responders && m->reply.n) {
        send_no_responders(c, m);
    }
}

void client_pub(struct client *c, struct op *op)
{
    struct msg *m = &op->msg;

    m->origin = &c->origin;
    c->last_active_ns = c->conn.shard->worker->now_ns;
    c->conn.in_msgs++;
    c->conn.in_bytes += m->hdr.n + m->payload.n;
    if (UNLIKELY(c->pedantic) && !subject_is_literal(m->subject)) {
        client_send_error(c, "Invalid Publish Subject");
    }
    if (UNLIKELY(m->wire.n == 0)) {
        build_wire(c, op);
    }
    if (m->hdr.n && UNLIKELY(!look_for_trace(c, m, m->hdr.n + m->payload.n))) {
        return;
    }
    struct match_entry *found = UNLIKELY(account_has_mappings(c->account)) ? map(c, m) : NULL;
    if (LIKELY(may_publish(c, m))) {
        publish(c, m, found);
    }
    if (UNLIKELY(c->origin.trace != NULL)) {
        send_trace(c);
    }
    if (UNLIKELY(c->home->delivery->pressure != PRESSURE_NONE)) {
        stall(c);
    }
    if (UNLIKELY(shard_is_flush_due(c->conn.shard))) {
        shard_flush(c->conn.shard);
    }
}
