/* SPDX-License-Identifier: Apache-2.0 */
/* A machine of a few states, a byte at a time where a chunk begins or ends. */
#include "http/body.h"

#include "http/head.h"

struct http_body http_body_of(const struct http_head *head)
{
    struct http_body b = {.left = head->body_bytes};

    if (head->is_chunked) {
        b = (struct http_body){.place = HTTP_BODY_SIZE};
    } else if (b.left > HTTP_BODY_MAX) {
        b.place = HTTP_BODY_BAD;
    } else if (b.left) {
        b.place = HTTP_BODY_BYTES;
    }
    return b;
}

/* ---- chunks */

static enum http_body_place after_size(const struct http_body *b)
{
    return b->left ? HTTP_BODY_CHUNK : HTTP_BODY_LINE;
}

static enum http_body_place take_size(struct http_body *b, char c)
{
    int digit = c >= '0' && c <= '9' ? c - '0' : -1;
    char letter = (char)(c | 0x20);

    if (letter >= 'a' && letter <= 'f') {
        digit = letter - 'a' + 10;
    }
    if (c == '\n') {
        return after_size(b);
    }
    if (digit < 0) {
        return strchr(";\t \r", c) && c ? HTTP_BODY_EXTENSION : HTTP_BODY_BAD;
    }
    b->left = b->left * 16 + (uint64_t)digit;
    return b->left > HTTP_BODY_MAX ? HTTP_BODY_BAD : HTTP_BODY_SIZE;
}

/* @return  where the byte behind c is */
static enum http_body_place take_byte(struct http_body *b, char c)
{
    switch (b->place) {
    case HTTP_BODY_SIZE:
        return take_size(b, c);
    case HTTP_BODY_EXTENSION:
        return c == '\n' ? after_size(b) : HTTP_BODY_EXTENSION;
    case HTTP_BODY_CHUNK_END:
        return c == '\n' ? HTTP_BODY_SIZE : c == '\r' ? HTTP_BODY_CHUNK_END : HTTP_BODY_BAD;
    case HTTP_BODY_LINE:
        return c == '\n' ? HTTP_BODY_END : c == '\r' ? HTTP_BODY_LINE : HTTP_BODY_TRAILER;
    case HTTP_BODY_TRAILER:
        return c == '\n' ? HTTP_BODY_LINE : HTTP_BODY_TRAILER;
    default:
        return HTTP_BODY_BAD;
    }
}

/* Takes what is there of the bytes that are left. */
static size_t take_bytes(struct http_body *b, size_t n)
{
    n = n < b->left ? n : (size_t)b->left;
    b->left -= n;
    if (b->left == 0) {
        b->place = b->place == HTTP_BODY_CHUNK ? HTTP_BODY_CHUNK_END : HTTP_BODY_END;
    }
    return n;
}

bool http_body_skip(struct http_body *b, struct str *rest)
{
    while (rest->n && b->place != HTTP_BODY_END && b->place != HTTP_BODY_BAD) {
        bool is_bytes = b->place == HTTP_BODY_BYTES || b->place == HTTP_BODY_CHUNK;
        size_t n = 1;

        if (is_bytes) {
            n = take_bytes(b, rest->n);
        } else {
            b->place = take_byte(b, rest->p[0]);
        }
        b->n_bytes += n;
        if (b->n_bytes > HTTP_BODY_MAX && b->place != HTTP_BODY_END) {
            b->place = HTTP_BODY_BAD;
        }
        *rest = (struct str){.p = rest->p + n, .n = rest->n - n};
    }
    return b->place == HTTP_BODY_END;
}
