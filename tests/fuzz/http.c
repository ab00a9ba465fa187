/* SPDX-License-Identifier: Apache-2.0 */
/* Input: what a client sends over HTTP. However it is cut, the same requests are found in it, and
 * what they ask for is decoded without harm. */
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "fuzz.h"
#include "http/body.h"
#include "http/head.h"
#include "http/path.h"
#include "http/query_string.h"

/** How a run ended. */
struct end {
    size_t n_requests;
    size_t at; // [bytes] that make sense, up to where it stops
    bool is_bad;
};

static bool is_within(struct str part, struct str all)
{
    return part.n == 0 || (part.p >= all.p && part.p + part.n <= all.p + all.n);
}

static void check_head(const struct http_head *head, struct str in)
{
    struct str rest = head->fields;
    struct http_field f;
    struct str value;

    ENSURE(head->n && head->n <= in.n && head->method.n && head->target.n);
    ENSURE(is_within(head->method, in) && is_within(head->target, in) && is_within(rest, in));
    while (http_field_next(&rest, &f)) {
        ENSURE(f.name.n && is_within(f.name, in) && is_within(f.value, in));
        ENSURE(http_head_find(head, f.name, &value));
        (void)http_value_has(f.value, STR("close"));
    }
    ENSURE(rest.n == 0);
}

/* A clean path is as it is, and so is one that was escaped and decoded. */
static void check_path(struct str path)
{
    struct buf clean = {0};
    struct buf again = {0};
    struct buf escaped = {0};

    http_path_clean(path, &clean);
    ENSURE(clean.n && clean.p[0] == '/');
    http_path_clean(buf_str(&clean), &again);
    ENSURE(str_equal(buf_str(&clean), buf_str(&again)));
    again.n = 0;
    http_path_escape(path, &escaped);
    ENSURE(percent_decode(buf_str(&escaped), &again) && str_equal(path, buf_str(&again)));
    buf_deinit(&clean);
    buf_deinit(&again);
    buf_deinit(&escaped);
}

static void check_target(struct str target)
{
    struct buf name = {0};
    struct buf value = {0};

    check_path(target);
    while (query_string_next(&target, &name, &value)) {
    }
    ENSURE(target.n == 0);
    buf_deinit(&name);
    buf_deinit(&value);
}

/* Reads requests from a text that arrives in pieces of so many bytes. */
static struct end run(struct str all, size_t piece)
{
    struct end end = {0};
    struct http_body body = {0};
    size_t seen = 0;

    for (size_t n = piece < all.n ? piece : all.n;;) {
        struct str in = {.p = all.p + end.at, .n = n - end.at};
        struct http_head head;
        enum http_head_result r = HTTP_HEAD_MORE;

        if (http_body_skip(&body, &in)) {
            r = http_head_parse(in, &seen, &head);
        }
        end.at = (size_t)(in.p - all.p);
        if (r == HTTP_HEAD_OK) {
            check_head(&head, in);
            check_target(head.target);
            body = http_body_of(&head);
            end.at += head.n;
            end.n_requests++;
            seen = 0;
            continue;
        }
        end.is_bad = r == HTTP_HEAD_BAD || body.place == HTTP_BODY_BAD;
        if (end.is_bad || n == all.n) {
            return end;
        }
        n = n + piece < all.n ? n + piece : all.n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str all = {.p = (const char *)data, .n = n};
    struct end whole = run(all, n + 1);

    for (size_t piece = 1; piece < 4; piece++) {
        struct end parts = run(all, piece);

        ENSURE(parts.n_requests == whole.n_requests && parts.is_bad == whole.is_bad);
        ENSURE(parts.is_bad || parts.at == whole.at);
    }
    return 0;
}
