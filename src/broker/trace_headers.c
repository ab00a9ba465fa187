/* SPDX-License-Identifier: Apache-2.0 */
/* All headers of a block are listed, one system is chosen, its headers are left and sorted. */
#include "broker/trace_headers.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/json.h"
#include "proto/header.h"
#include "proto/header_list.h"

enum { MAX_FIELDS = 4 };

/* What belongs to a tracing system. */
struct system {
    struct str names[4];
    struct str prefix; // empty: none
};

static const struct system uber = {.names = {STR_INIT("Uber-Trace-Id")},
                                   .prefix = STR_INIT("Uberctx-")};
static const struct system zipkin = {.names = {STR_INIT("X-B3-TraceId"), STR_INIT("X-B3-Sampled"),
                                               STR_INIT("X-B3-SpanId"),
                                               STR_INIT("X-B3-ParentSpanId")}};
static const struct system zipkin_one = {.names = {STR_INIT("B3")}};
static const struct system w3c = {.names = {STR_INIT("Traceparent"), STR_INIT("Tracestate")}};

/* Lists all headers whose names have no blanks. @return  false: the block is not well-formed */
static bool list_all(struct header_list *l, struct str hdr)
{
    struct header_walk w = header_walk(hdr);
    struct header h;

    while (header_next(&w, &h)) {
        if (!memchr(h.name.p, ' ', h.name.n)) {
            header_list_add(l, h);
        }
    }
    return !w.is_broken;
}

/* @return  the value of the first header of that name; NULL: there is none */
static const struct str *first(const struct header_list *l, struct str name)
{
    for (size_t i = 0; i < l->n; i++) {
        if (str_equal_nocase(l->at[i].name, name)) {
            return &l->at[i].value;
        }
    }
    return NULL;
}

/* @return  how many fields there are, of which at most MAX_FIELDS are in the array */
static size_t split(struct str s, char separator, struct str fields[MAX_FIELDS])
{
    size_t n = 0;

    for (;;) {
        const char *end = s.n ? memchr(s.p, separator, s.n) : NULL;
        size_t length = end ? (size_t)(end - s.p) : s.n;

        if (n < MAX_FIELDS) {
            fields[n] = (struct str){.p = s.p, .n = length};
        }
        n++;
        if (!end) {
            return n;
        }
        s = (struct str){.p = end + 1, .n = s.n - length - 1};
    }
}

/* @return  value of a hexadecimal digit; −1: it is none */
static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;

    return !at ? -1 : at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

/* trace:span:parent:flags; flags 1: sampled. */
static bool is_uber_sampled(struct str value)
{
    struct str fields[MAX_FIELDS];

    if (split(value, ':', fields) != 4 || fields[3].n == 0 || fields[3].n > 2) {
        return false;
    }
    int low = hex_digit(fields[3].p[fields[3].n - 1]);
    return low > 0 && low & 1;
}

/* version-trace-parent-flags; flags 01: sampled. The Go server does not take flags above 7f. */
bool trace_headers_is_sampled(struct str traceparent)
{
    struct str fields[MAX_FIELDS];

    if (split(traceparent, '-', fields) != 4 || fields[3].n != 2) {
        return false;
    }
    int high = hex_digit(fields[3].p[0]);
    int low = hex_digit(fields[3].p[1]);
    return high >= 0 && high < 8 && low > 0 && low & 1;
}

/* trace-span-sampled-parent, or sampled alone; 0: not sampled, all else leaves it open. */
static bool is_b3_sampled(struct str value)
{
    struct str fields[MAX_FIELDS];

    return !str_equal(value, STR("0")) &&
           (split(value, '-', fields) < 3 || !str_equal(fields[2], STR("0")));
}

/* @return  the system that follows the message; NULL: none does */
static const struct system *choose(const struct header_list *l)
{
    const struct str *value = first(l, STR("Uber-Trace-Id"));

    if (value) {
        return is_uber_sampled(*value) ? &uber : NULL;
    }
    value = first(l, STR("X-B3-Sampled"));
    if (value && str_equal(*value, STR("0"))) {
        return NULL;
    }
    if ((value && str_equal(*value, STR("1"))) || first(l, STR("X-B3-TraceId"))) {
        return &zipkin;
    }
    value = first(l, STR("B3"));
    if (value) {
        return is_b3_sampled(*value) ? &zipkin_one : NULL;
    }
    value = first(l, STR("Traceparent"));
    return value && trace_headers_is_sampled(*value) ? &w3c : NULL;
}

static bool is_of(const struct system *s, struct str name)
{
    struct str start = {.p = name.p, .n = s->prefix.n};

    for (size_t i = 0; i < ARRAY_SIZE(s->names); i++) {
        if (s->names[i].n && str_equal_nocase(name, s->names[i])) {
            return true;
        }
    }
    return s->prefix.n && name.n >= s->prefix.n && str_equal_nocase(start, s->prefix);
}

static void keep_those_of(struct header_list *l, const struct system *s)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        if (is_of(s, l->at[i].name)) {
            l->at[n++] = l->at[i];
        }
    }
    l->n = n;
}

bool trace_headers_find(struct str hdr, struct buf *json)
{
    struct header_list l = {0};
    const struct system *s = hdr.n && list_all(&l, hdr) ? choose(&l) : NULL;

    if (s) {
        keep_those_of(&l, s);
        struct json j = json_to(json);

        header_list_write(&l, header_letter_canonical, &j);
    }
    header_list_deinit(&l);
    return s != NULL;
}
