/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of values that several capabilities have in common. */
#include <string.h>

#include "auth/tls_block.h"
#include "base/buf.h"
#include "base/diag.h"
#include "conf/value.h"
#include "io/tls_options.h"
#include "server/later_options.h"
#include "server/later_priv.h"

#define MAX_TLS_KEYS 64

const char *const later_write_timeouts[] = {"default", "close", "retry", NULL};

enum status later_check_tls(void *base, const struct node *value, struct option_reader *r)
{
    struct tls_options ignored = {0};
    enum status st = tls_options_type.read(&ignored, value, r);

    (void)base;
    tls_options_type.release(&ignored);
    return st;
}

/* The same without verify_cert_and_check_known_urls, which only servers may have between them. */
enum status later_check_remote_tls(void *base, const struct node *value, struct option_reader *r)
{
    struct node kept[MAX_TLS_KEYS];
    struct node map = *value;
    size_t n = 0;

    for (const struct node *e = value->kind == NODE_MAP ? value->first : NULL;
         e && n < MAX_TLS_KEYS; e = e->next) {
        bool is_own = e->kind == NODE_BOOL &&
                      str_equal_nocase(e->key, STR("verify_cert_and_check_known_urls"));

        if (!is_own) {
            kept[n] = *e;
            kept[n].next = NULL;
            if (n) {
                kept[n - 1].next = &kept[n];
            }
            n++;
        }
    }
    if (value->kind == NODE_MAP) {
        map.first = n ? &kept[0] : NULL;
        map.last = n ? &kept[n - 1] : NULL;
    }
    return later_check_tls(base, &map, r);
}

enum status later_accept(void *base, const struct node *value, struct option_reader *r)
{
    (void)base;
    (void)value;
    (void)r;
    return ST_OK;
}

enum status later_check_duration(void *base, const struct node *value, struct option_reader *r)
{
    struct buf why = {0};
    int64_t ns;

    (void)base;
    if (value->kind != NODE_STR) {
        return option_wrong_type(r, value, node_kind_name(NODE_STR));
    }
    enum status st = value_parse_duration(value->text, &ns, &why);
    if (st != ST_OK) {
        diag_error(r->d, &value->at, "time: %.*s", STR_ARG(buf_str(&why)));
        st = ST_FAILED;
    }
    buf_deinit(&why);
    return st;
}

enum status later_check_durations(void *base, const struct node *value, struct option_reader *r)
{
    if (value->kind != NODE_ARRAY) {
        return option_wrong_type(r, value, node_kind_name(NODE_ARRAY));
    }
    for (const struct node *e = value->first; e; e = e->next) {
        struct node text = *e;

        text.at = e->kind == NODE_STR ? value->at : e->at;
        if (later_check_duration(base, &text, r) != ST_OK) {
            return ST_FAILED;
        }
    }
    return ST_OK;
}

/* Whether the text after the last colon of an authority is a port, if there is one. */
static bool has_good_port(struct str authority)
{
    const char *at = authority.n ? memrchr(authority.p, '@', authority.n) : NULL;
    const char *end = authority.p + authority.n;
    const char *host = at ? at + 1 : authority.p;
    const char *bracket =
        host < end && *host == '[' ? memchr(host, ']', (size_t)(end - host)) : host;

    if (!bracket) {
        return false;
    }
    const char *colon = bracket < end ? memchr(bracket, ':', (size_t)(end - bracket)) : NULL;
    for (const char *p = colon ? colon + 1 : end; p < end; p++) {
        if (*p < '0' || *p > '9') {
            return false;
        }
    }
    return true;
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Whether a text may be read as a URL: its scheme and its port are well formed. */
static bool is_url(struct str s)
{
    size_t n_scheme = 0;

    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f) {
            return false;
        }
    }
    while (n_scheme < s.n && !strchr(":/?#", s.p[n_scheme])) {
        n_scheme++;
    }
    struct str rest = s;
    if (n_scheme < s.n && s.p[n_scheme] == ':') {
        if (n_scheme == 0 || !is_letter(s.p[0])) {
            return false;
        }
        rest = (struct str){.p = s.p + n_scheme + 1, .n = s.n - n_scheme - 1};
    }
    if (!str_starts_with(rest, STR("//"))) {
        return true;
    }
    rest = (struct str){.p = rest.p + 2, .n = rest.n - 2};
    size_t n = 0;
    while (n < rest.n && !strchr("/?#", rest.p[n])) {
        n++;
    }
    return !memchr(rest.p, ' ', n) && has_good_port((struct str){.p = rest.p, .n = n});
}

enum status later_check_url(const char *what, const struct node *value, struct option_reader *r)
{
    if (value->kind != NODE_STR) {
        return option_wrong_type(r, value, node_kind_name(NODE_STR));
    }
    if (!is_url(value->text)) {
        diag_error(r->d, &value->at, "error parsing %s url [\"%.*s\"]", what, STR_ARG(value->text));
        return ST_FAILED;
    }
    return ST_OK;
}

enum status later_check_urls(const char *what, const struct node *value, struct option_reader *r)
{
    enum status st = ST_OK;

    if (value->kind != NODE_ARRAY) {
        return option_wrong_type(r, value, node_kind_name(NODE_ARRAY));
    }
    for (const struct node *e = value->first; e; e = e->next) {
        if (later_check_url(what, e, r) != ST_OK) {
            st = ST_FAILED;
        }
    }
    return st;
}

enum status later_set_store_dir(void *base, const struct node *value, struct option_reader *r)
{
    struct later_options *o = base;

    if (value->kind != NODE_STR) {
        return option_wrong_type(r, value, node_kind_name(NODE_STR));
    }
    if (o->has_store_dir) {
        diag_error(r->d, &value->at, "Duplicate 'store_dir' configuration");
        return ST_FAILED;
    }
    o->has_store_dir = value->text.n > 0;
    return ST_OK;
}
