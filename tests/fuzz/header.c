/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a header block, or anything in its place. What header_replace makes of it is compared with
 * what becomes of it one byte at a time; it must have the new header, last, and no other of the
 * name. What is found by walking lies within the block; what is found of tracing systems is
 * JSON. */
#include "proto/header.h"

#include "base/attr.h"
#include "base/json_read.h"
#include "broker/trace_headers.h"
#include "fuzz.h"

static const struct str name = STR_INIT("Ab");
static const struct str value = STR_INIT("v w");

static bool is_ours(const char *line, size_t n)
{
    size_t at = 0;

    while (at < n && (line[at] == ' ' || line[at] == '\t')) {
        at++;
    }
    if (n - at < 2 || (line[at] | 0x20) != 'a' || (line[at + 1] | 0x20) != 'b') {
        return false;
    }
    at += 2;
    while (at < n && (line[at] == ' ' || line[at] == '\t')) {
        at++;
    }
    return at < n && line[at] == ':';
}

/* A line of the block in any case; and with CR LF if it lacks an LF. */
static void keep(struct buf *out, const char *line, size_t n, bool is_ended)
{
    if (!is_ended && n && line[n - 1] == '\r') {
        n--;
    }
    buf_add(out, (struct str){.p = line, .n = n});
    buf_add(out, is_ended ? STR("\n") : STR("\r\n"));
}

/* header_replace, as simple as possible. */
static void model(struct str hdr, struct buf *out)
{
    size_t begin = 0;

    for (size_t i = 0; i <= hdr.n && begin <= hdr.n; i++) {
        bool is_ended = i < hdr.n && hdr.p[i] == '\n';
        size_t n = i - begin;

        if (i < hdr.n && !is_ended) {
            continue;
        }
        if (n == 0 || (n == 1 && hdr.p[begin] == '\r')) {
            break;
        }
        if (begin == 0 || !is_ours(hdr.p + begin, n)) {
            keep(out, hdr.p + begin, n, is_ended);
        }
        begin = i + 1;
    }
    if (begin == 0) {
        buf_add(out, STR("NATS/1.0\r\n"));
    }
    buf_add(out, STR("Ab: v w\r\n\r\n"));
}

static void check_replace(struct str hdr)
{
    struct buf want = {0};
    struct buf once = {0};
    struct buf twice = {0};

    model(hdr, &want);
    header_replace(hdr, name, value, &once);
    ENSURE(str_equal(buf_str(&once), buf_str(&want)));
    header_replace(buf_str(&once), name, value, &twice);
    ENSURE(str_equal(buf_str(&once), buf_str(&twice)));
    buf_deinit(&want);
    buf_deinit(&once);
    buf_deinit(&twice);
}

static bool is_within(struct str part, struct str whole)
{
    return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

static void check_walk(struct str hdr)
{
    struct header_walk w = header_walk(hdr);
    struct header h;
    struct header last = {0};

    while (header_next(&w, &h)) {
        ENSURE(is_within(h.name, hdr) && is_within(h.value, hdr));
        ENSURE(h.name.n && h.name.p + h.name.n < h.value.p);
        ENSURE(!last.name.p || last.value.p + last.value.n < h.name.p);
        last = h;
    }
    ENSURE(w.is_broken || w.rest.n == 0);
}

static void check_trace_headers(struct str hdr)
{
    struct buf json = {0};
    struct json_reader r;

    if (trace_headers_find(hdr, &json)) {
        json_read_init(&r, buf_str(&json));
        ENSURE(json_read_next(&r) == JSON_OPEN_OBJECT);
        json_read_init(&r, buf_str(&json));
        ENSURE(json_read_end(&r));
    } else {
        ENSURE(json.n == 0);
    }
    buf_deinit(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str hdr = {.p = (const char *)data, .n = n};

    check_replace(hdr);
    check_walk(hdr);
    check_trace_headers(hdr);
    return 0;
}
