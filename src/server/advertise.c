/* SPDX-License-Identifier: Apache-2.0 */
/* "host", "host:port", or either with an IPv6 address in brackets. Mistakes are named as Go's
 * library does, whose words operators look for. */
#include "server/advertise.h"

#include <string.h>

#include "base/quote.h"
#include "conf/value.h"
#include "server/server_options.h"

/* Takes "host:port" apart. @return  what is wrong with it; NULL: nothing */
static const char *split(struct str text, struct str *host, struct str *port)
{
    const char *colon = memrchr(text.p, ':', text.n);
    struct str h = {.p = text.p, .n = colon ? (size_t)(colon - text.p) : text.n};

    if (h.n && h.p[0] == '[') {
        const char *end = memchr(text.p, ']', text.n);

        if (!end) {
            return "missing ']' in address";
        }
        if (end + 1 != colon) {
            return end + 1 < h.p + h.n && end[1] == ':' ? "too many colons in address"
                                                        : "missing port in address";
        }
        h = (struct str){.p = h.p + 1, .n = h.n - 2};
    } else if (memchr(h.p, ':', h.n)) {
        return "too many colons in address";
    }
    if (memchr(h.p, '[', h.n)) {
        return "unexpected '[' in address";
    }
    if (memchr(h.p, ']', h.n)) {
        return "unexpected ']' in address";
    }
    *host = h;
    *port = colon ? (struct str){.p = colon + 1, .n = (size_t)(text.p + text.n - colon - 1)}
                  : (struct str){0};
    return NULL;
}

static struct str trim(struct str s)
{
    while (s.n && s.p[0] == ' ') {
        s = (struct str){.p = s.p + 1, .n = s.n - 1};
    }
    while (s.n && s.p[s.n - 1] == ' ') {
        s.n--;
    }
    return s;
}

static bool is_number(struct str text)
{
    for (size_t i = text.n > 1 && text.p[0] == '-'; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return false;
        }
    }
    return text.n > 0;
}

/* @param why  of ST_BAD_VALUE: what is wrong */
static enum status find(const struct server_options *o, int64_t listen_port, struct str *host,
                        int64_t *port, struct buf *why)
{
    struct str text = str_of(o->client_advertise);
    struct str port_text = {0};

    *host = text.n ? text : str_of(o->host);
    *port = listen_port;
    if (!text.n || !memchr(text.p, ':', text.n)) {
        return ST_OK;
    }
    const char *wrong = split(text, host, &port_text);
    if (wrong) {
        buf_printf(why, "address %.*s: %s", STR_ARG(text), wrong);
        return ST_BAD_VALUE;
    }
    port_text = trim(port_text);
    if (!is_number(port_text) || value_parse_int(port_text, port) != ST_OK) {
        buf_add(why, STR("strconv.Atoi: parsing "));
        quote_go(why, port_text);
        buf_add(why, is_number(port_text) ? STR(": value out of range") : STR(": invalid syntax"));
        return ST_BAD_VALUE;
    }
    if (*port <= 0) {
        *port = listen_port;
    }
    return ST_OK;
}

enum status advertise_find(const struct server_options *o, int64_t listen_port, struct str *host,
                           int64_t *port)
{
    struct buf why = {0};
    enum status st = find(o, listen_port, host, port, &why);

    buf_deinit(&why);
    return st;
}

enum status advertise_check(const struct server_options *o, const char *complaint, struct diag *d)
{
    struct buf why = {0};
    struct str host;
    int64_t port;
    enum status st = find(o, o->port, &host, &port, &why);

    if (st != ST_OK) {
        diag_error(d, NULL, "%s ClientAdvertise value of %s, err=%.*s", complaint,
                   o->client_advertise, STR_ARG(buf_str(&why)));
        st = ST_FAILED;
    }
    buf_deinit(&why);
    return st;
}
