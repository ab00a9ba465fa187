/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol trace of a client (-V): what came in "<<-" and what went out "->>". Secrets in
 * CONNECT never reach the log. */
#include <stdarg.h>

#include "base/buf.h"
#include "base/quote.h"
#include "broker/sub.h"
#include "client/client.h"
#include "client/encoded.h"
#include "proto/msg.h"

#define HEADER_END_BYTES 4u // "\r\n\r\n"

static const char *const verb_names[VERB_COUNT] = {
    [VERB_CONNECT] = "CONNECT", [VERB_PING] = "PING", [VERB_PONG] = "PONG", [VERB_SUB] = "SUB",
    [VERB_UNSUB] = "UNSUB",     [VERB_PUB] = "PUB",   [VERB_HPUB] = "HPUB", [VERB_OK] = "+OK",
    [VERB_ERR] = "-ERR",        [VERB_INFO] = "INFO",
};

/* Appends CONNECT's JSON with the values of secret members replaced. */
static void add_redacted(struct buf *out, struct str json)
{
    static const struct str secrets[] = {
        STR_INIT("\"pass\""), STR_INIT("\"auth_token\""), STR_INIT("\"sig\""),
        STR_INIT("\"nkey\""), STR_INIT("\"proxy_sig\""),  STR_INIT("\"jwt\""),
    };

    while (json.n) {
        size_t key = 0;

        while (key < ARRAY_SIZE(secrets) &&
               !(json.n > secrets[key].n &&
                 str_equal_nocase((struct str){json.p, secrets[key].n}, secrets[key]))) {
            key++;
        }
        if (key == ARRAY_SIZE(secrets)) {
            buf_add_char(out, json.p[0]);
            json = (struct str){json.p + 1, json.n - 1};
            continue;
        }
        buf_add(out, (struct str){json.p, secrets[key].n});
        size_t i = secrets[key].n;
        while (i < json.n && (json.p[i] == ' ' || json.p[i] == '\t' || json.p[i] == ':')) {
            buf_add_char(out, json.p[i++]);
        }
        buf_add(out, STR("\"[REDACTED]\""));
        if (i < json.n && json.p[i] == '"') {
            for (i++; i < json.n && json.p[i] != '"'; i++) {
                i += json.p[i] == '\\';
            }
            i++;
        }
        i = i > json.n ? json.n : i;
        json = (struct str){json.p + i, json.n - i};
    }
}

static void trace_payload(const struct client *c, const char *arrow, struct str hdr,
                          struct str payload)
{
    struct buf all = {0};
    struct buf quoted = {0};
    int64_t max = log_max_traced_bytes();

    if (log_traces_headers_only()) {
        hdr.n -= hdr.n < HEADER_END_BYTES ? hdr.n : HEADER_END_BYTES;
        payload.n = 0;
    }
    buf_add(&all, hdr);
    buf_add(&all, payload);
    bool is_cut = max > 0 && all.n > (size_t)max;
    if (is_cut) {
        all.n = (size_t)max;
    }
    if (all.n) {
        quote_go(&quoted, buf_str(&all));
        quoted.n -= is_cut ? 1 : 0; // the dots go inside the quotes
        client_log(c, LOG_TRC, "%s MSG_PAYLOAD: [%.*s%s]", arrow, STR_ARG(buf_str(&quoted)),
                   is_cut ? "...\"" : "");
    }
    buf_deinit(&all);
    buf_deinit(&quoted);
}

void client_trace_in(const struct client *c, const struct op *op)
{
    struct buf line = {0};

    if (op->verb == VERB_CONNECT) {
        add_redacted(&line, op->arg);
    } else {
        buf_add(&line, op->arg);
    }
    client_log(c, LOG_TRC, "<<- [%s%s%.*s]", verb_names[op->verb], line.n ? " " : "",
               STR_ARG(buf_str(&line)));
    buf_deinit(&line);
    if (op->verb == VERB_PUB || op->verb == VERB_HPUB) {
        trace_payload(c, "<<-", op->msg.hdr, op->msg.payload);
    }
}

void client_trace_output(struct conn *conn, struct outq *out)
{
    const struct client *c = client_of(conn);
    struct buf all = encoded_flatten(out);
    struct str rest = buf_str(&all);

    while (rest.n) {
        struct encoded e = encoded_read(rest);

        client_log(c, LOG_TRC, "->> [%.*s]", STR_ARG(e.line));
        trace_payload(c, "->>", e.hdr,
                      (struct str){.p = e.body.p + e.hdr.n, .n = e.body.n - e.hdr.n});
        rest = (struct str){.p = rest.p + e.n, .n = rest.n - e.n};
    }
    buf_deinit(&all);
}

void client_trace_out(const struct client *c, const char *format, ...)
{
    struct buf text = {0};
    va_list ap;

    if (!log_enabled(LOG_TRC)) {
        return;
    }
    va_start(ap, format);
    buf_vprintf(&text, format, ap);
    va_end(ap);
    client_log(c, LOG_TRC, "->> [%.*s]", STR_ARG(buf_str(&text)));
    buf_deinit(&text);
}

void client_trace_msg(const struct client *c, const struct msg *m, const struct sub *s)
{
    bool has_headers = m->hdr.n && (atomic_load(&s->flags) & SUB_HEADERS);
    struct str hdr = has_headers ? m->hdr : (struct str){0};

    if (has_headers) {
        client_log(c, LOG_TRC, "->> [HMSG %.*s %.*s %.*s%s%zu %zu]", STR_ARG(m->subject),
                   STR_ARG(sub_sid(s)), STR_ARG(m->reply), m->reply.n ? " " : "", hdr.n,
                   hdr.n + m->payload.n);
    } else {
        client_log(c, LOG_TRC, "->> [MSG %.*s %.*s %.*s%s%zu]", STR_ARG(m->subject),
                   STR_ARG(sub_sid(s)), STR_ARG(m->reply), m->reply.n ? " " : "", m->payload.n);
    }
    trace_payload(c, "->>", hdr, m->payload);
}
